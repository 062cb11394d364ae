"""Which worker delivers which alert: workers claim alerts that are due, defer or release them.

A claim is the worker's id in the alert's row.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from alerts import records
from alerts.alert import Alert
from alerts.status import Status
from alerts.tables import alerts, workers
from database.database import Database

# Claimed in one transaction. With more, one process would take all and leave none to the others.
MOST_CLAIMED_AT_ONCE = 50

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
CLAIMED_BY = (
    sa.select(alerts.c.claimed_by)
    .where(
        alerts.c.account_sid == sa.bindparam("account"),
        alerts.c.is_open,
    )
    .distinct()
)
CLAIMED = sa.select(alerts.c.id).where(
    alerts.c.account_sid == sa.bindparam("account"),
    alerts.c.is_open,
    alerts.c.claimed_by == sa.bindparam("worker"),
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

    async def claiming_workers(self) -> set[str | None]:
        """The workers that have claimed an alert that is still open; None if one has none."""
        wanted = {"account": self._account_sid}
        return await self._database.read(
            lambda connection: set(connection.scalars(CLAIMED_BY, wanted))
        )

    async def claimed_by(self, worker_id: str) -> list[str]:
        """The ids of the open alerts that a worker has claimed."""
        wanted = {"account": self._account_sid, "worker": worker_id}
        return await self._database.read(
            lambda connection: list(connection.scalars(CLAIMED, wanted))
        )

    async def release(self, worker_ids: Collection[str]) -> int:
        """Release the open alerts of dead workers, forget the workers; returns how many alerts."""
        claimed = sa.update(alerts).where(
            alerts.c.account_sid == self._account_sid,
            alerts.c.is_open,
            alerts.c.claimed_by.in_(worker_ids),
        )

        def release(connection: sa.Connection) -> int:
            freed = connection.execute(claimed.values(claimed_by=None))
            connection.execute(sa.delete(workers).where(workers.c.id.in_(worker_ids)))
            return freed.rowcount

        return await self._database.write(release)
