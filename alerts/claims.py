"""Which worker delivers which alert: claimed when due, deferred, released when the worker died.

Each function works inside a transaction of the caller's.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from alerts.status import Status
from alerts.tables import alerts, workers

# Claimed in one transaction: with more, other processes would get no share.
MOST_AT_ONCE = 50

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
CLAIM = (
    sa.update(alerts)
    .where(
        alerts.c.account_sid == sa.bindparam("account"),
        alerts.c.id.in_(sa.bindparam("alert_ids", expanding=True)),
    )
    .values(claimed_by=sa.bindparam("worker"))
)
CLAIMED_BY = (
    sa.select(alerts.c.claimed_by)
    .where(
        alerts.c.account_sid == sa.bindparam("account"),
        alerts.c.is_open,
        alerts.c.claimed_by.is_not(None),
    )
    .distinct()
)


def are_due(connection: sa.Connection, account_sid: str, now: float) -> bool:
    """Whether an alert may be claimed at the time `now`."""
    return connection.scalar(ARE_DUE, {"account": account_sid, "now": now}) is not None


def claim(
    connection: sa.Connection, account_sid: str, worker_id: str, now: float, most: int
) -> list[str]:
    """Claim at most `most` alerts that are due at `now` for a worker; returns their ids."""
    wanted = {"account": account_sid, "now": now, "most": min(most, MOST_AT_ONCE)}
    alert_ids = list(connection.scalars(CLAIMABLE, wanted))
    if alert_ids:
        claimed = {"account": account_sid, "alert_ids": alert_ids, "worker": worker_id}
        connection.execute(CLAIM, claimed)
    return alert_ids


def defer(connection: sa.Connection, account_sid: str, alert_id: str, due_at: float) -> None:
    """Free an alert to be claimed again from `due_at` on, if it still waits for its next try."""
    connection.execute(
        sa.update(alerts)
        .where(
            alerts.c.account_sid == account_sid,
            alerts.c.id == alert_id,
            alerts.c.status == Status.QUEUED,
        )
        .values(claimed_by=None, due_at=due_at)
    )


def claiming_workers(connection: sa.Connection, account_sid: str) -> set[str]:
    """The workers that have claimed an alert that is still open."""
    return {str(each) for each in connection.scalars(CLAIMED_BY, {"account": account_sid})}


def release(connection: sa.Connection, account_sid: str, worker_ids: Collection[str]) -> int:
    """Free the open alerts of workers that are gone to be claimed again; returns how many."""
    freed = connection.execute(
        sa.update(alerts)
        .where(
            alerts.c.account_sid == account_sid,
            alerts.c.is_open,
            alerts.c.claimed_by.in_(worker_ids),
        )
        .values(claimed_by=None)
    )
    return freed.rowcount


def add_worker(
    connection: sa.Connection, account_sid: str, worker_id: str, mode: str, now: float
) -> None:
    """Let other processes know about a worker; nothing changes if they do."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    row = {"id": worker_id, "account_sid": account_sid, "mode": mode, "started_at": now}
    connection.execute(dialect.insert(workers).on_conflict_do_nothing(), row)


def remove_workers(connection: sa.Connection, worker_ids: Collection[str]) -> None:
    """Forget workers whose alerts have been released."""
    connection.execute(sa.delete(workers).where(workers.c.id.in_(worker_ids)))


def known_workers(connection: sa.Connection, account_sid: str) -> dict[str, str]:
    """The workers that are known, dead or alive: the mode of each by its id."""
    chosen = sa.select(workers.c.id, workers.c.mode).where(workers.c.account_sid == account_sid)
    return {row.id: row.mode for row in connection.execute(chosen)}
