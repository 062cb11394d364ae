"""What caused an alert: its rule, and the rows that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from alerts.tables import alerts
from database.database import Database
from rules.keys import Value, words_of
from rules.tables import episode_alerts, episodes, rules

MOST_ROWS = 50


@dataclass(frozen=True, slots=True)
class CausingRow:
    """A thing that an alert is about: its name for people, and the cells of its row."""

    key_hash: str
    words: str
    cells: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Cause:
    """The rule that sent an alert, and the first of the `total` rows that it is about.

    An alert about the rule itself, such as that it can't be checked, has no rows.
    """

    rule_id: str
    rule_name: str
    is_deleted: bool
    rows: tuple[CausingRow, ...] = ()
    total: int = 0


async def cause_of(database: Database, account_sid: str, alert_id: str) -> Cause | None:
    """Return what caused an alert; None if it wasn't a rule."""
    return await database.read(lambda connection: _read(connection, account_sid, alert_id))


async def newest_of_rules(
    database: Database, account_sid: str, since: datetime, limit: int
) -> list[str]:
    """Return the ids of the alerts that rules have sent since a moment, newest first."""
    wanted = (
        sa.select(alerts.c.id)
        .where(
            alerts.c.account_sid == account_sid,
            alerts.c.rule_id.is_not(None),
            alerts.c.created_at >= since.timestamp(),
        )
        .order_by(alerts.c.position.desc())
        .limit(limit)
    )
    return await database.read(lambda connection: list(connection.scalars(wanted)))


def _read(connection: sa.Connection, account_sid: str, alert_id: str) -> Cause | None:
    wanted = (
        sa.select(rules.c.id, rules.c.name, rules.c.deleted_at)
        .select_from(alerts.join(rules, rules.c.id == alerts.c.rule_id))
        .where(alerts.c.id == alert_id, alerts.c.account_sid == account_sid)
    )
    rule = connection.execute(wanted).first()
    if rule is None:
        return None
    of_alert = [episode_alerts.c.alert_id == alert_id, episode_alerts.c.account_sid == account_sid]
    same = sa.and_(
        *(
            episodes.c[name] == episode_alerts.c[name]
            for name in ("rule_id", "account_sid", "key_hash", "number")
        )
    )
    told = (
        sa.select(episodes.c.key_hash, episodes.c.key, episodes.c.row)
        .select_from(episode_alerts.join(episodes, same))
        .where(*of_alert)
        .order_by(episodes.c.began_at, episodes.c.key_hash)
        .limit(MOST_ROWS)
    )
    count = sa.select(sa.func.count()).select_from(episode_alerts).where(*of_alert)
    found = [
        CausingRow(row.key_hash, words_of(row.key), row.row) for row in connection.execute(told)
    ]
    total = connection.scalar(count) or 0
    return Cause(rule.id, rule.name, rule.deleted_at is not None, tuple(found), total)
