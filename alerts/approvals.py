"""A second person's yes: broadcasts to more people than one person may send to by themselves.

What was asked for is kept as it was composed, and the yes sends just that: one transaction takes
the request and saves the broadcast, so it is sent once however often yes is pressed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from access.audit import write_entries
from access.audit_entry import AuditEntry
from alerts.alert import Alert, AlertRequest, NewAlert
from alerts.broadcast import Approval, ApprovalState, Broadcast
from alerts.broadcast_history import BroadcastHistory
from alerts.emergency_stop import Stopped, lock_sending
from alerts.errors import UnusableInput
from alerts.history import History
from alerts.records import request_of, request_row
from alerts.tables import approvals
from database.database import Database
from database.tables import insert_new

EXPIRES_AFTER = timedelta(hours=4)
# One person mustn't fill everyone's page with requests.
MOST_WAITING_OF_ONE = 5
SAME_PERSON = "Another person has to say yes: you asked for this yourself."
GONE = "There is no such request."


class Approvals:
    """The requests for a second person's yes of one account."""

    def __init__(self, database: Database, history: History, broadcasts: BroadcastHistory) -> None:
        self._database = database
        self._history = history
        self._broadcasts = broadcasts
        self._account_sid = history.account_sid

    async def ask(
        self, broadcast: Broadcast, requests: Sequence[AlertRequest], audit: AuditEntry
    ) -> Approval:
        """Save a request; the same id is one request. Raises `UnusableInput`."""
        asked = broadcast.created_at
        row = {
            "id": broadcast.id,
            "account_sid": self._account_sid,
            "title": broadcast.title,
            "requests": [request_row(each) for each in requests],
            "asked_by": broadcast.sender,
            "asked_at": asked.timestamp(),
            "expires_at": (asked + EXPIRES_AFTER).timestamp(),
            "state": "waiting",
            "decided_by": "",
        }

        def ask(connection: sa.Connection) -> Approval:
            if stop := lock_sending(connection, self._account_sid):
                raise Stopped(stop, requests[0].time_zone)
            waiting = [
                each
                for each in self._read(connection, asked - EXPIRES_AFTER)
                if each.state == "waiting" and each.asked_by == broadcast.sender
            ]
            is_known = any(each.id == broadcast.id for each in waiting)
            if len(waiting) >= MOST_WAITING_OF_ONE and not is_known:
                raise UnusableInput(
                    "phone_number",
                    f"{MOST_WAITING_OF_ONE} of your requests wait for a second person's yes "
                    "already: take one back, or wait for an answer.",
                )
            insert_new(connection, approvals, [row])
            write_entries(connection, [] if is_known else [audit])
            return self._one(connection, broadcast.id)

        return await self._database.write(ask)

    async def since(self, since: datetime) -> list[Approval]:
        """Return the requests since then, the newest first."""
        return await self._database.read(lambda connection: self._read(connection, since))

    async def get(self, approval_id: str) -> Approval:
        """Return a request. Raises `UnusableInput` if it isn't known."""
        return await self._database.read(lambda connection: self._one(connection, approval_id))

    async def approve(
        self,
        approval_id: str,
        by: str,
        new: Sequence[NewAlert],
        worker_id: str | None,
        audit: AuditEntry,
    ) -> tuple[Broadcast, list[Alert]]:
        """Say yes: save the broadcast, whose alerts are `new`; returns what was saved.

        Raises `UnusableInput` if it is over, or if `by` is the person who asked for it.
        """
        now = datetime.now(UTC)
        await self._history.learn_prices()

        def approve(connection: sa.Connection) -> tuple[Broadcast, list[Alert]]:
            # Lock in the same order as everywhere else that alerts are saved.
            lock_sending(connection, self._account_sid)
            asked = self._one(connection, approval_id)
            # If the transaction went through and runs again, its own yes is there already.
            if (asked.state, asked.decided_at, asked.decided_by) != ("sent", now, by):
                self._check_waiting(asked, by)
                self._decide(connection, approval_id, "sent", by, now)
            broadcast = Broadcast(asked.id, asked.title, asked.asked_by, now)
            return self._broadcasts.add_within(
                connection, broadcast, new, worker_id, audit, confirmed=True
            )

        return await self._database.write(approve)

    async def refuse(self, approval_id: str, by: str, audit: AuditEntry) -> Approval:
        """Say no, or take it back if `by` asked for it. Raises `UnusableInput` if it is over."""
        now = datetime.now(UTC)

        def refuse(connection: sa.Connection) -> Approval:
            lock_sending(connection, self._account_sid)
            asked = self._one(connection, approval_id)
            if (asked.state, asked.decided_at) != ("refused", now):
                self._check_waiting(asked)
                self._decide(connection, approval_id, "refused", by, now)
                write_entries(connection, [audit])
            return self._one(connection, approval_id)

        return await self._database.write(refuse)

    def _check_waiting(self, asked: Approval, by: str | None = None) -> None:
        if asked.outcome:
            raise UnusableInput("approval", asked.outcome)
        if by is not None and asked.is_of(by):
            raise UnusableInput("approval", SAME_PERSON)

    def _decide(
        self,
        connection: sa.Connection,
        approval_id: str,
        state: ApprovalState,
        by: str,
        at: datetime,
    ) -> None:
        connection.execute(
            sa.update(approvals)
            .where(approvals.c.id == approval_id, approvals.c.account_sid == self._account_sid)
            .values(state=state, decided_by=by, decided_at=at.timestamp())
        )

    def _one(self, connection: sa.Connection, approval_id: str) -> Approval:
        chosen = sa.select(approvals).where(
            approvals.c.id == approval_id, approvals.c.account_sid == self._account_sid
        )
        row = connection.execute(chosen).mappings().first()
        if row is None:
            raise UnusableInput("approval", GONE)
        return _approval_of(row)

    def _read(self, connection: sa.Connection, since: datetime) -> list[Approval]:
        chosen = (
            sa.select(approvals)
            .where(
                approvals.c.account_sid == self._account_sid,
                approvals.c.asked_at > since.timestamp(),
            )
            .order_by(approvals.c.asked_at.desc())
        )
        return [_approval_of(row) for row in connection.execute(chosen).mappings()]


def _approval_of(row: Mapping[Any, Any]) -> Approval:
    requests = tuple(map(request_of, row["requests"]))
    expires_at, state = datetime.fromtimestamp(row["expires_at"], UTC), row["state"]
    if state == "waiting" and datetime.now(UTC) >= expires_at:
        state = "expired"
    return Approval(
        row["id"],
        row["title"],
        requests,
        row["asked_by"],
        datetime.fromtimestamp(row["asked_at"], UTC),
        expires_at,
        state,
        row["decided_by"],
        row["decided_at"] and datetime.fromtimestamp(row["decided_at"], UTC),
    )
