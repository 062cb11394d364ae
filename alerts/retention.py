"""Deleting what happened long ago: alerts that have ended, with all that belongs to them."""

from __future__ import annotations

import sqlalchemy as sa

from alerts.tables import alerts, broadcasts, events, incoming_texts, submissions
from alerts.words import delete_words
from database.clock import database_time
from database.database import Database

SECONDS_A_DAY = 24 * 3600.0
# Small transactions, between which others can write.
MOST_DELETED_AT_ONCE = 100

OLD = (
    sa.select(alerts.c.id, alerts.c.position)
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
OF_NO_ALERT = sa.delete(incoming_texts).where(
    incoming_texts.c.account_sid == sa.bindparam("account"),
    incoming_texts.c.alert_id.is_(None),
    incoming_texts.c.at < sa.bindparam("before"),
)


async def delete_old_alerts(database: Database, account_sid: str, keep_days: int) -> int:
    """Delete some of the account's ended alerts from before `keep_days` ago, the oldest first.

    Returns how many were deleted: 0 once no more are left. Open ones stay however old they are.
    """

    def delete(connection: sa.Connection) -> int:
        before = database_time(connection) - keep_days * SECONDS_A_DAY
        wanted = {"account": account_sid, "before": before}
        connection.execute(OF_NO_ALERT, wanted)
        old = connection.execute(OLD, wanted).all()
        ids = [row.id for row in old]
        if ids:
            delete_words(connection, account_sid, [(row.id, row.position) for row in old])
            # Rows of the alerts last, because the others refer to them.
            for table, column in (
                (events, events.c.alert_id),
                (submissions, submissions.c.alert_id),
                (incoming_texts, incoming_texts.c.alert_id),
                (alerts, alerts.c.id),
            ):
                connection.execute(
                    sa.delete(table).where(table.c.account_sid == account_sid, column.in_(ids))
                )
            connection.execute(EMPTY_BROADCASTS, wanted)
        return len(ids)

    return await database.write(delete)
