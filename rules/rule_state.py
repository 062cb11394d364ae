"""A rule's state in the database: its open episodes, earlier ones, and who was told."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from alerts.status import Status
from alerts.tables import alerts
from database.tables import in_parts
from rules.episodes import DAY_SECONDS, Episode, Past
from rules.keys import Value
from rules.tables import episode_alerts, episodes, rule_state
from rules.telling import recipient_of

EPISODE_FIELDS = tuple(Episode.__dataclass_fields__)
# The columns that an Episode is made of, without the row of data, which may be large.
_columns = [episodes.c[name] for name in EPISODE_FIELDS]

# Every check needs these statements. They are built once, because building one takes as long as
# running it.
_of_rule = (
    episodes.c.rule_id == sa.bindparam("rule"),
    episodes.c.account_sid == sa.bindparam("account"),
    episodes.c.is_open,
)
OPEN = sa.select(*_columns).where(*_of_rule)
HAS_OPEN = sa.select(sa.select(episodes.c.number).where(*_of_rule).exists())
# With the parameters of `which_episode`.
UPDATE_EPISODE = sa.update(episodes).where(
    episodes.c.rule_id == sa.bindparam("of_rule"),
    episodes.c.account_sid == sa.bindparam("of_account"),
    episodes.c.key_hash == sa.bindparam("of_key"),
    episodes.c.number == sa.bindparam("of_number"),
)
STATE = sa.select(rule_state).where(
    rule_state.c.rule_id == sa.bindparam("rule"),
    rule_state.c.account_sid == sa.bindparam("account"),
)
LOCKED_STATE = STATE.with_for_update()

# Alerts with these statuses never reached Twilio, unless they have a SID.
UNSENT = (Status.QUEUED.value, Status.CANCELED.value, Status.FAILED.value)

Id = tuple[str, int]  # an episode within its rule: the key's hash, and the number


def which_episode(account_sid: str, rule_id: str, episode: Episode) -> dict[str, str | int]:
    """Return the parameters of UPDATE_EPISODE for an episode of a rule."""
    return {
        "of_rule": rule_id,
        "of_account": account_sid,
        "of_key": episode.key_hash,
        "of_number": episode.number,
    }


@dataclass(frozen=True, slots=True)
class ToldAlert:
    """An alert that told of an episode: to whom, and how far it has come.

    An alert that was deleted since then counts as ended. `is_waiting` means that nothing of it is
    under way: it waits for the morning, its turn or its next try. `was_sent` is whether any try was
    made.
    """

    alert_id: str
    episode: Id
    kind: str
    recipient: str
    is_open: bool
    is_waiting: bool
    was_sent: bool
    is_acknowledged: bool


def read_state(
    connection: sa.Connection, account_sid: str, rule_id: str, *, lock: bool = False
) -> Any:
    """Return the rule's row of `rule_state` as a mapping; None for a rule never switched on.

    With `lock`, no other transaction changes it before this one ends.
    """
    wanted = {"rule": rule_id, "account": account_sid}
    return connection.execute(LOCKED_STATE if lock else STATE, wanted).mappings().first()


def has_open(connection: sa.Connection, account_sid: str, rule_id: str) -> bool:
    """Whether the rule has an open episode."""
    return bool(connection.scalar(HAS_OPEN, {"rule": rule_id, "account": account_sid}))


def read_open(connection: sa.Connection, account_sid: str, rule_id: str) -> dict[str, Episode]:
    """Return the rule's open episodes by the hash of their key."""
    found = connection.execute(OPEN, {"rule": rule_id, "account": account_sid})
    return {row[0]: Episode(*row) for row in found}


def read_past(
    connection: sa.Connection, account_sid: str, rule_id: str, keys: Sequence[str], at: float
) -> dict[str, Past]:
    """Return the earlier episodes of these keys, as of `at` seconds since 1970."""
    lately = sa.and_(episodes.c.fired_at.is_not(None), episodes.c.fired_at > at - DAY_SECONDS)
    been = sa.or_(
        episodes.c.fired_at.is_not(None),
        episodes.c.state == "known",
        episodes.c.returns_to == "known",
    )
    found: dict[str, Past] = {}
    for some in in_parts(keys):
        counted = (
            sa.select(
                episodes.c.key_hash,
                sa.func.max(episodes.c.number),
                sa.func.sum(sa.case((lately, 1), else_=0)),
                sa.func.sum(sa.case((been, 1), else_=0)),
            )
            .where(*_of(account_sid, rule_id, some))
            .group_by(episodes.c.key_hash)
        )
        rows = connection.execute(counted).all()
        flapping = _known_to_flap(connection, account_sid, rule_id, [row[0] for row in rows], at)
        for key, number, fired, was in rows:
            found[key] = Past(number, int(fired), bool(was), key in flapping)
    return found


def read_rows(
    connection: sa.Connection, account_sid: str, rule_id: str, ids: Collection[Id]
) -> dict[str, tuple[dict[str, Value], dict[str, Value]]]:
    """Return what was saved with these episodes: the key's cells and the row's, by its hash."""
    numbers = dict(ids)
    found: dict[str, tuple[dict[str, Value], dict[str, Value]]] = {}
    for some in in_parts(list(numbers)):
        wanted = sa.select(
            episodes.c.key_hash, episodes.c.number, episodes.c.key, episodes.c.row
        ).where(*_of(account_sid, rule_id, some))
        for row in connection.execute(wanted):
            if numbers[row.key_hash] == row.number:
                found[row.key_hash] = (row.key, row.row)
    return found


def read_told(
    connection: sa.Connection, account_sid: str, rule_id: str, ids: Collection[Id]
) -> dict[Id, list[ToldAlert]]:
    """Return the alerts that told of these episodes."""
    found: dict[Id, list[ToldAlert]] = {each: [] for each in ids}
    same = sa.and_(
        alerts.c.id == episode_alerts.c.alert_id,
        alerts.c.account_sid == episode_alerts.c.account_sid,
    )
    for some in in_parts(list({key for key, _ in ids})):
        wanted = (
            sa.select(
                episode_alerts,
                alerts.c.is_open,
                alerts.c.status,
                alerts.c.try_number,
                alerts.c.sid,
            )
            .select_from(episode_alerts.outerjoin(alerts, same))
            .where(
                episode_alerts.c.rule_id == rule_id,
                episode_alerts.c.account_sid == account_sid,
                episode_alerts.c.key_hash.in_(some),
            )
        )
        for row in connection.execute(wanted):
            if (row.key_hash, row.number) in found:
                found[row.key_hash, row.number].append(_told(row))
    return found


def told_together(
    connection: sa.Connection, account_sid: str, alert_ids: Collection[str]
) -> Mapping[str, set[Id]]:
    """Return the episodes that each of these alerts told of."""
    found: dict[str, set[Id]] = {}
    for some in in_parts(list(alert_ids)):
        wanted = sa.select(
            episode_alerts.c.alert_id, episode_alerts.c.key_hash, episode_alerts.c.number
        ).where(episode_alerts.c.account_sid == account_sid, episode_alerts.c.alert_id.in_(some))
        for row in connection.execute(wanted):
            found.setdefault(row.alert_id, set()).add((row.key_hash, row.number))
    return found


def _told(row: Any) -> ToldAlert:
    is_waiting = row.status == Status.QUEUED.value
    return ToldAlert(
        row.alert_id,
        (row.key_hash, row.number),
        row.kind,
        recipient_of(row.alert_id),
        bool(row.is_open),
        is_waiting,
        # If it was canceled before anything was sent, or refused, no one has heard of it.
        was_sent=row.status not in UNSENT or row.try_number > 1 or row.sid is not None,
        is_acknowledged=row.status == Status.ACKNOWLEDGED.value,
    )


def _known_to_flap(
    connection: sa.Connection, account_sid: str, rule_id: str, keys: Sequence[str], at: float
) -> set[str]:
    same = sa.and_(
        episodes.c.rule_id == episode_alerts.c.rule_id,
        episodes.c.account_sid == episode_alerts.c.account_sid,
        episodes.c.key_hash == episode_alerts.c.key_hash,
        episodes.c.number == episode_alerts.c.number,
    )
    wanted = (
        sa.select(episode_alerts.c.key_hash)
        .select_from(episode_alerts.join(episodes, same))
        .where(
            episode_alerts.c.kind == "flapping",
            episodes.c.fired_at > at - DAY_SECONDS,
            *_of(account_sid, rule_id, keys),
        )
    )
    return set(connection.scalars(wanted)) if keys else set()


def _of(account_sid: str, rule_id: str, keys: Sequence[str]) -> Iterator[sa.ColumnElement[bool]]:
    yield episodes.c.rule_id == rule_id
    yield episodes.c.account_sid == account_sid
    yield episodes.c.key_hash.in_(keys)
