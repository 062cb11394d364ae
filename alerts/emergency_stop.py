"""The emergency stop: from one moment on nothing is sent, in any process, until it is lifted.

Setting it is one small transaction. From then on no alert is saved and no submission begins,
because both lock the same row first. After that, all that waits is canceled, by the process that
was asked to stop and by every worker, until nothing is left (`History.cancel_all`).

Each function works inside the caller's transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from access.audit import write_entries
from access.audit_entry import AuditEntry
from alerts.errors import UnusableInput
from alerts.status import Status
from alerts.tables import alerts, approvals, sending
from alerts.time_zones import clock_time
from database.tables import insert_new

MOST_REASON_CHARACTERS = 200

# Built once, because building it takes as long as running it.
STATE = sa.select(sending).where(sending.c.account_sid == sa.bindparam("account"))
LOCKED = STATE.with_for_update()
# Alerts that haven't ended and haven't been asked to.
OPEN = sa.select(alerts.c.id).where(
    alerts.c.account_sid == sa.bindparam("account"),
    alerts.c.is_open,
    alerts.c.canceling.is_(False),
)
SOME_OPEN = OPEN.limit(sa.bindparam("most"))
COUNTED = (
    sa.select(alerts.c.status, alerts.c.channel, sa.func.count().label("how_many"))
    .where(
        alerts.c.account_sid == sa.bindparam("account"),
        alerts.c.is_open,
        alerts.c.canceling.is_(False),
    )
    .group_by(alerts.c.status, alerts.c.channel)
)


@dataclass(frozen=True, slots=True)
class EmergencyStop:
    """Who stopped everything, when and why ("" if they gave no reason)."""

    at: datetime
    by: str
    reason: str = ""

    def sentence(self, time_zone: str) -> str:
        """Say in a sentence who stopped everything, when (in `time_zone`) and why."""
        when = clock_time(self.at, datetime.now(UTC), time_zone)
        because = f" ({self.reason})" if self.reason else ""
        return f"{self.by} stopped everything at {when}{because}."


@dataclass(frozen=True, slots=True)
class StopCounts:
    """What a stop would end: alerts that wait or are on their way, and calls that are live."""

    waiting: int = 0
    live: int = 0


class Stopped(UnusableInput):
    """Nothing was saved, because everything is stopped."""

    def __init__(self, stop: EmergencyStop, time_zone: str = "") -> None:
        super().__init__(
            "phone_number",
            f"{stop.sentence(time_zone)} Nothing is sent until an administrator lifts that.",
        )
        self.stop = stop


def lock_sending(connection: sa.Connection, account_sid: str) -> EmergencyStop | None:
    """Keep other transactions from saving or beginning anything; returns the stop, if one is set.

    SQLite lets only one transaction write at a time anyway.
    """
    row = connection.execute(LOCKED, {"account": account_sid}).first()
    if row is None:
        first = {"account_sid": account_sid, "stopped_at": None, "stopped_by": "", "reason": ""}
        insert_new(connection, sending, [first])
        row = connection.execute(LOCKED, {"account": account_sid}).one()
    return _stop_in(row)


def read_stop(connection: sa.Connection, account_sid: str) -> EmergencyStop | None:
    """Return the stop, None if none is set."""
    row = connection.execute(STATE, {"account": account_sid}).first()
    return _stop_in(row) if row is not None else None


def set_stop(
    connection: sa.Connection,
    account_sid: str,
    stop: EmergencyStop,
    audit: AuditEntry | None = None,
) -> list[str]:
    """Stop everything, unless it is stopped already; returns the ids of the alerts that this ends.

    `audit` is written with it. Broadcasts that wait for a second person's yes are over too.
    """
    if (known := lock_sending(connection, account_sid)) and known != stop:
        return []
    open_ones = list(connection.scalars(OPEN, {"account": account_sid}))
    if known:
        return open_ones  # set already: the transaction runs again
    connection.execute(
        sa.update(sending)
        .where(sending.c.account_sid == account_sid)
        .values(stopped_at=stop.at.timestamp(), stopped_by=stop.by, reason=stop.reason)
    )
    connection.execute(
        sa.update(approvals)
        .where(approvals.c.account_sid == account_sid, approvals.c.state == "waiting")
        .values(state="stopped", decided_by=stop.by, decided_at=stop.at.timestamp())
    )
    write_entries(connection, [audit] if audit else [])
    return open_ones


def lift_stop(connection: sa.Connection, account_sid: str, audit: AuditEntry | None = None) -> bool:
    """Lift the stop; false if something that waited hasn't been canceled yet."""
    if lock_sending(connection, account_sid) is None:
        return True
    if connection.execute(SOME_OPEN, {"account": account_sid, "most": 1}).first():
        return False
    connection.execute(
        sa.update(sending)
        .where(sending.c.account_sid == account_sid)
        .values(stopped_at=None, stopped_by="", reason="")
    )
    write_entries(connection, [audit] if audit else [])
    return True


def some_open(connection: sa.Connection, account_sid: str, most: int) -> list[str]:
    """Return the ids of open alerts that haven't been asked to end yet, `most` at most."""
    return list(connection.scalars(SOME_OPEN, {"account": account_sid, "most": most}))


def stop_counts(connection: sa.Connection, account_sid: str) -> StopCounts:
    """Count what a stop would end."""
    waiting = live = 0
    for row in connection.execute(COUNTED, {"account": account_sid}):
        if row.channel == "call" and row.status not in {Status.QUEUED.value, Status.SENDING.value}:
            live += row.how_many
        else:
            waiting += row.how_many
    return StopCounts(waiting, live)


def checked_reason(reason: str) -> str:
    """Return the reason without white space around it. Raises `UnusableInput`."""
    reason = reason.strip()
    if len(reason) > MOST_REASON_CHARACTERS or not reason.isprintable():
        raise UnusableInput(
            "reason", f"A reason is one line of {MOST_REASON_CHARACTERS} characters at most."
        )
    return reason


def _stop_in(row: sa.Row[tuple[object, ...]]) -> EmergencyStop | None:
    if row.stopped_at is None:
        return None
    return EmergencyStop(datetime.fromtimestamp(row.stopped_at, UTC), row.stopped_by, row.reason)
