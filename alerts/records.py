"""Reading and writing the history of an account, inside a transaction of the caller's.

Each function may be repeated when nobody knows whether the transaction before went through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from alerts.alert import Alert, Event, tries_of
from alerts.state import Standing, after
from alerts.tables import (
    Row,
    alert_in,
    alerts,
    event_in,
    event_row,
    events,
    request_of,
    standing_of,
    standing_row,
)

# Built once, for every event goes through them: building one takes as long as carrying it out.
LOCKED = (
    sa.select(alerts)
    .where(
        alerts.c.account_sid == sa.bindparam("account"),
        alerts.c.id.in_(sa.bindparam("alert_ids", expanding=True)),
    )
    # In the same order everywhere, so that no two wait for each other.
    .order_by(alerts.c.id)
    .with_for_update()
)
NEW_EVENT = sa.insert(events)
CHANGING = (
    "revision", "status", "is_open", "since", "try_number", "channel", "to_number", "sid",
    "twiml_url", "error", "answered_by", "canceling",
)  # fmt: skip
NEW_STANDING = (
    sa.update(alerts)
    .where(alerts.c.account_sid == sa.bindparam("account"), alerts.c.id == sa.bindparam("alert_id"))
    .values({name: sa.bindparam(name) for name in CHANGING})
)

# Whether an event may still be kept, seen from the alert's row, which is locked meanwhile. It may
# write what belongs to the event.
Provided = Callable[[sa.Connection, Row], bool]


@dataclass(frozen=True, slots=True)
class Entry:
    """An event that is to be kept, if `provided` says so when its turn has come."""

    alert_id: str
    event: Event
    provided: Provided | None = None


def insert_new(
    connection: sa.Connection,
    table: sa.Table,
    rows: Sequence[Mapping[str, Any]],
    key: Sequence[str] | None = None,
) -> None:
    """Insert those rows that aren't there yet, by any key of the table's or by `key` alone.

    Raises IntegrityError for one that only another key keeps out.
    """
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    connection.execute(dialect.insert(table).on_conflict_do_nothing(index_elements=key), rows)


def read(connection: sa.Connection, account_sid: str, alert_ids: Iterable[str]) -> dict[str, Alert]:
    """The alerts as they stand, with their stories, by id; unknown ids are left out."""
    ids = list(alert_ids)
    stories: dict[str, list[Event]] = {each: [] for each in ids}
    # First the alerts: of events that are added meanwhile, none may be missing.
    chosen = sa.select(alerts).where(alerts.c.account_sid == account_sid, alerts.c.id.in_(ids))
    found = connection.execute(chosen).mappings().all()
    told = sa.select(events).where(events.c.account_sid == account_sid, events.c.alert_id.in_(ids))
    for row in connection.execute(told.order_by(events.c.number)).mappings():
        stories[row["alert_id"]].append(event_in(row))
    return {row["id"]: alert_in(row, stories[row["id"]][: row["revision"]]) for row in found}


def revisions(
    connection: sa.Connection, account_sid: str, alert_ids: Iterable[str]
) -> dict[str, int]:
    """How many events each alert has; unknown ids are left out."""
    chosen = sa.select(alerts.c.id, alerts.c.revision).where(
        alerts.c.account_sid == account_sid, alerts.c.id.in_(list(alert_ids))
    )
    return {row.id: row.revision for row in connection.execute(chosen)}


@dataclass(frozen=True, slots=True)
class Appended:
    """An event as it was kept, its number, and where its alert stands now."""

    number: int
    event: Event
    standing: Standing


def append(
    connection: sa.Connection, account_sid: str, entries: Sequence[Entry]
) -> list[Appended | None]:
    """Keep events, and derive from each where its alert stands after it.

    None for one that isn't kept: of an unknown alert, or where its `provided` says no.
    """
    wanted = {"account": account_sid, "alert_ids": [each.alert_id for each in entries]}
    found = connection.execute(LOCKED, wanted)
    rows: dict[str, dict[str, Any]] = {row["id"]: dict(row) for row in found.mappings()}
    told: list[dict[str, Any]] = []
    outcomes = [_append(connection, each, rows, told) for each in entries]
    if told:
        changed = {row["alert_id"] for row in told}
        connection.execute(NEW_EVENT, told)
        connection.execute(NEW_STANDING, [_standing(rows[each]) for each in sorted(changed)])
    return outcomes


def _append(
    connection: sa.Connection,
    entry: Entry,
    rows: dict[str, dict[str, Any]],
    told: list[dict[str, Any]],
) -> Appended | None:
    """Add an event to those that will be `told`, and to its alert's row what it changes there."""
    row = rows.get(entry.alert_id)
    if row is None or not (entry.provided is None or entry.provided(connection, row)):
        return None
    request, before = request_of(row), standing_of(row)
    now = after(before, entry.event, request, tries_of(request))
    event = replace(entry.event, news=now != before)
    row |= standing_row(now, request) | {"revision": row["revision"] + 1}
    told.append(event_row(row, row["revision"], event))
    return Appended(row["revision"], event, now)


def _standing(row: Row) -> dict[str, Any]:
    """The parameters of NEW_STANDING."""
    key = {"account": row["account_sid"], "alert_id": row["id"]}
    return key | {name: row[name] for name in CHANGING}
