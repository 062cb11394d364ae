"""Deleting what happened long ago: ended alerts, their events and submissions, broadcasts."""

from __future__ import annotations

import sqlalchemy as sa

from alerts.tables import alerts, broadcasts, events, submissions
from database.clock import database_time
from database.database import Database

SECONDS_A_DAY = 24 * 3600.0
# Small transactions, between which others can write.
MOST_DELETED_AT_ONCE = 100

OLD = (
    sa.select(alerts.c.id)
    .where(
        alerts.c.account_sid == sa.bindparam("account"),
        alerts.c.created_at < sa.bindparam("before"),
        sa.not_(alerts.c.is_open),
    )
    .order_by(alerts.c.created_at)
    .limit(MOST_DELETED_AT_ONCE)
)
EMPTY_BROADCASTS = sa.delete(broadcasts).where(
    broadcasts.c.account_sid == sa.bindparam("account"),
    broadcasts.c.created_at < sa.bindparam("before"),
    ~sa.exists().where(
        alerts.c.broadcast_id == broadcasts.c.id, alerts.c.account_sid == broadcasts.c.account_sid
    ),
)


async def delete_old_alerts(database: Database, account_sid: str, keep_days: int) -> int:
    """Delete some of the account's ended alerts from before `keep_days` ago, the oldest first.

    Returns how many were deleted: 0 once no more are left. Open ones stay however old they are.
    """

    def delete(connection: sa.Connection) -> int:
        before = database_time(connection) - keep_days * SECONDS_A_DAY
        wanted = {"account": account_sid, "before": before}
        ids = list(connection.scalars(OLD, wanted))
        if ids:
            # Rows of the alerts last, because the others refer to them.
            for table, column in (
                (events, events.c.alert_id),
                (submissions, submissions.c.alert_id),
                (alerts, alerts.c.id),
            ):
                connection.execute(
                    sa.delete(table).where(table.c.account_sid == account_sid, column.in_(ids))
                )
            connection.execute(EMPTY_BROADCASTS, wanted)
        return len(ids)

    return await database.write(delete)
