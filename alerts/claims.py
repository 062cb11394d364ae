"""Which workers are alive, and which of them delivers which alert.

Workers claim alerts that are due, defer or release them; a claim is the worker's id in the alert's
row. Each worker writes into the database, every two seconds, that it is alive. Any process can
judge that at once, by the database's clock, from another machine or through a connection pooler. A
process that hangs counts as dead too. If it ever goes on, it sends nothing twice, because each
request is saved before it is made, and looked up before it is made again.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from alerts import records
from alerts.alert import Alert
from alerts.services import Mode
from alerts.status import Status
from alerts.tables import alerts, workers
from database.database import Database
from database.tables import upsert
from database.transactions import database_time

# How many one transaction claims. With more, one process would take all and leave none to others.
MOST_CLAIMED_AT_ONCE = 50
# A busy machine may delay a heartbeat by seconds. A worker that is wrongly taken for dead does no
# harm, but its alerts are then followed by two processes.
DEAD_AFTER_SECONDS = 10.0

# The statements are built once, because building one takes as long as running it.
DUE = (
    sa.select(alerts.c.id)
    .where(
        alerts.c.account_sid == sa.bindparam("account"),
        alerts.c.is_open,
        alerts.c.claimed_by.is_(None),
        alerts.c.due_at <= sa.bindparam("now"),
    )
    .order_by(alerts.c.due_at)
)
ARE_DUE = DUE.limit(1)
CLAIMABLE = DUE.limit(sa.bindparam("most")).with_for_update(skip_locked=True)
CLAIMING_WORKERS = (
    sa.select(alerts.c.claimed_by)
    .where(
        alerts.c.account_sid == sa.bindparam("account"),
        alerts.c.is_open,
    )
    .distinct()
)
IDS_CLAIMED_BY_WORKER = sa.select(alerts.c.id).where(
    alerts.c.account_sid == sa.bindparam("account"),
    alerts.c.is_open,
    alerts.c.claimed_by == sa.bindparam("worker"),
)
KNOWN = sa.select(workers.c.id, workers.c.mode, workers.c.seen_at).where(
    workers.c.account_sid == sa.bindparam("account")
)


class Claims:
    """The claims of one Twilio account's workers."""

    def __init__(self, database: Database, account_sid: str) -> None:
        self._database = database
        self._account_sid = account_sid

    async def are_due(self) -> bool:
        """Whether an alert is due and unclaimed."""
        wanted = {"account": self._account_sid, "now": time.time()}
        return await self._database.read(
            lambda connection: connection.scalar(ARE_DUE, wanted) is not None
        )

    async def claim(self, worker_id: str, most: int) -> list[Alert]:
        """Claim alerts that are due for a worker, `most` or MOST_CLAIMED_AT_ONCE at most."""

        def claim(connection: sa.Connection) -> list[Alert]:
            wanted = {
                "account": self._account_sid,
                "now": time.time(),
                "most": min(most, MOST_CLAIMED_AT_ONCE),
            }
            ids = list(connection.scalars(CLAIMABLE, wanted))
            if not ids:
                return []
            chosen = alerts.c.account_sid == self._account_sid, alerts.c.id.in_(ids)
            connection.execute(sa.update(alerts).where(*chosen).values(claimed_by=worker_id))
            return list(records.read(connection, self._account_sid, ids).values())

        return await self._database.write(claim)

    async def defer(self, alert_id: str, due: datetime) -> bool:
        """Release an alert until it is `due`; false if it no longer waits for its next try."""
        waiting = sa.update(alerts).where(
            alerts.c.account_sid == self._account_sid,
            alerts.c.id == alert_id,
            alerts.c.status == Status.QUEUED,
            alerts.c.send_now.is_(False),
        )
        freed = waiting.values(claimed_by=None, due_at=due.timestamp())
        return await self._database.write(
            lambda connection: connection.execute(freed).rowcount == 1
        )

    async def any_open_and_dead_workers(self, liveness: Liveness) -> tuple[bool, set[str]]:
        """Return whether any alert is open, and the dead workers.

        These are found among the known workers and those that have claimed an open alert.
        """
        wanted = {"account": self._account_sid}

        def read(connection: sa.Connection) -> tuple[bool, set[str]]:
            # Read before the known workers, because a worker is known before it claims anything.
            claiming = set(connection.scalars(CLAIMING_WORKERS, wanted))
            return bool(claiming), liveness.dead(connection, claiming - {None})

        return await self._database.read(read)

    async def claimed_by(self, worker_id: str) -> list[str]:
        """The ids of the open alerts that a worker has claimed."""
        wanted = {"account": self._account_sid, "worker": worker_id}
        return await self._database.read(
            lambda connection: list(connection.scalars(IDS_CLAIMED_BY_WORKER, wanted))
        )

    async def release(self, worker_ids: Collection[str]) -> int:
        """Release the open alerts of dead workers and forget these; returns how many alerts."""
        claimed = sa.update(alerts).where(
            alerts.c.account_sid == self._account_sid,
            alerts.c.is_open,
            alerts.c.claimed_by.in_(worker_ids),
        )

        def release(connection: sa.Connection) -> int:
            freed = connection.execute(claimed.values(claimed_by=None))
            connection.execute(
                sa.delete(workers).where(
                    workers.c.account_sid == self._account_sid, workers.c.id.in_(worker_ids)
                )
            )
            return freed.rowcount

        return await self._database.write(release)


class Liveness:
    """The heartbeats of one account's workers."""

    def __init__(self, database: Database, account_sid: str) -> None:
        self._database = database
        self._account_sid = account_sid
        self._last_beat: float | None = None
        self._judges_from = 0.0

    async def beat(self, worker_id: str, mode: Mode) -> None:
        """Count this process's worker as alive for DEAD_AFTER_SECONDS from now on.

        Waits while the database can't be reached.
        """

        def beat(connection: sa.Connection) -> None:
            now = database_time(connection)
            row: dict[str, Any] = {"id": worker_id, "account_sid": self._account_sid, "mode": mode}
            row |= {"started_at": now, "seen_at": now}
            upsert(connection, workers, row, changed=("seen_at",))

        await self._database.write(beat)
        now = time.monotonic()
        if self._was_interrupted():
            # Other workers may have been kept from writing as well, so give them time for it.
            self._judges_from = now + DEAD_AFTER_SECONDS
        self._last_beat = now

    def _was_interrupted(self) -> bool:
        """Whether a heartbeat is late: the database is away, or this process stood still."""
        last = self._last_beat
        return last is not None and time.monotonic() - last > DEAD_AFTER_SECONDS / 2

    async def alive(self) -> dict[str, str]:
        """The mode of each worker that is alive, by its id."""
        known = await self._database.read(self._known)
        return {worker_id: mode for worker_id, mode, is_alive in known if is_alive}

    def dead(self, connection: sa.Connection, claiming: Collection[str]) -> set[str]:
        """Return the workers that are dead, among all known ones and those in `claiming`.

        Returns nothing while this process itself can't write its heartbeat, and for a while after.
        """
        if time.monotonic() < self._judges_from or self._was_interrupted():
            return set()
        known = {worker_id: is_alive for worker_id, _, is_alive in self._known(connection)}
        return {each for each in {*known, *claiming} if not known.get(each)}

    def _known(self, connection: sa.Connection) -> list[tuple[str, str, bool]]:
        now = database_time(connection)
        return [
            # A heartbeat far in the future was written before the clock was set back.
            (row.id, row.mode, abs(now - row.seen_at) <= DEAD_AFTER_SECONDS)
            for row in connection.execute(KNOWN, {"account": self._account_sid})
        ]
