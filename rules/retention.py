"""Deleting what rules no longer need: checks after 30 days, episodes after 400 or more."""

from __future__ import annotations

import sqlalchemy as sa

from database.database import Database
from database.transactions import database_time
from rules.tables import checks, episode_alerts, episodes, mutes

SECONDS_A_DAY = 24 * 3600.0
KEEP_CHECKS_DAYS = 30
# After this a rule with once_ever no longer knows that a key has been bad, and tells of it again.
KEEP_EPISODES_DAYS = 400
# Small, so that others can write between these transactions.
MOST_DELETED_AT_ONCE = 500


async def delete_old(database: Database, account_sid: str, keep_days: int = 0) -> int:
    """Delete an account's old checks, episodes and mutes; returns how many rows.

    `keep_days` is how long alerts are kept. Episodes are kept at least as long: otherwise
    a key's episodes would be counted from 1 again, and a new alert would get the id of an old one.
    """
    days = max(KEEP_EPISODES_DAYS, keep_days)
    deleted = 0
    while count := await database.write(
        lambda connection: _delete_some(connection, account_sid, days)
    ):
        deleted += count
    return deleted


def _delete_some(connection: sa.Connection, account_sid: str, keep_days: int) -> int:
    now = database_time(connection)
    old_checks = _some(
        checks,
        checks.c.account_sid == account_sid,
        checks.c.at < now - KEEP_CHECKS_DAYS * SECONDS_A_DAY,
    )
    old_mutes = sa.delete(mutes).where(
        mutes.c.account_sid == account_sid, mutes.c.until < now - KEEP_CHECKS_DAYS * SECONDS_A_DAY
    )
    ended = (
        episodes.c.account_sid == account_sid,
        sa.not_(episodes.c.is_open),
        episodes.c.over_at < now - keep_days * SECONDS_A_DAY,
    )
    old = connection.execute(
        sa.select(episodes.c.rule_id, episodes.c.key_hash, episodes.c.number)
        .where(*ended)
        .limit(MOST_DELETED_AT_ONCE)
    ).all()
    for table in (episode_alerts, episodes):
        for rule_id, key_hash, number in old:
            connection.execute(
                sa.delete(table).where(
                    table.c.account_sid == account_sid,
                    table.c.rule_id == rule_id,
                    table.c.key_hash == key_hash,
                    table.c.number == number,
                )
            )
    return (
        len(old) + connection.execute(old_checks).rowcount + connection.execute(old_mutes).rowcount
    )


def _some(table: sa.Table, *conditions: sa.ColumnElement[bool]) -> sa.Delete:
    """Delete some of the rows that meet the conditions."""
    key = sa.tuple_(*table.primary_key.columns)
    chosen = sa.select(*table.primary_key.columns).where(*conditions).limit(MOST_DELETED_AT_ONCE)
    return sa.delete(table).where(key.in_(chosen))
