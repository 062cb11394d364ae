"""How rows become alerts, and alerts rows; reading them, saving new ones, deleting old ones.

Each function works inside the caller's transaction, and can safely run again when it isn't known
whether that was committed.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from access.audit import write_entries
from access.audit_entry import AuditEntry
from alerts.alert import Alert, AlertRequest, Event, NewAlert, Problem, tries_of
from alerts.state import STATE_FIELDS
from alerts.status import Status
from alerts.tables import Row, alerts, broadcasts, events, incoming_texts, submissions
from alerts.words import add_words, delete_words
from database.tables import in_parts
from database.transactions import database_time

# Every event needs these statements. They are built once, because building one takes as long as
# running it.
OURS = (
    alerts.c.account_sid == sa.bindparam("account"),
    alerts.c.id.in_(sa.bindparam("alert_ids", expanding=True)),
)
CHOSEN = sa.select(alerts).where(*OURS)
REVISIONS = sa.select(alerts.c.id, alerts.c.revision).where(*OURS)
STORIES = (
    sa.select(events)
    .where(
        events.c.account_sid == sa.bindparam("account"),
        events.c.alert_id.in_(sa.bindparam("alert_ids", expanding=True)),
    )
    .order_by(events.c.number)
)
NEW_ALERT = sa.insert(alerts)
NEW_EVENT = sa.insert(events)

REQUEST_FIELDS = tuple(each.name for each in fields(AlertRequest))
EVENT_FIELDS = tuple(each.name for each in fields(Event))
# The low bits of a position, which tell alerts apart that are saved together.
POSITION_BITS = 12
SECONDS_A_DAY = 24 * 3600.0
# Small, so that others can write between these transactions.
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


def add(
    connection: sa.Connection,
    account_sid: str,
    new: Sequence[NewAlert],
    *,
    now: datetime,
    known: Mapping[str, float],
    worker_id: str | None = None,
    audit: AuditEntry | None = None,
) -> list[Alert]:
    """Save new alerts, each with its first event, and return them; known ones stay as they are.

    `known` is when the already known ones were saved, by id, as `check_asking` returns it. `audit`
    is written if any alert is new.
    """
    added: list[Alert] = []
    rows: list[dict[str, Any]] = []
    first_events: list[dict[str, Any]] = []
    once: dict[str, NewAlert] = {}
    for each in new:
        once.setdefault(each.id, each)
    for position, each in enumerate(once.values(), start=new_position(now)):
        # Compare times, so that the result is the same if all of this runs again.
        if known.get(each.id, now.timestamp()) != now.timestamp():
            continue
        alert = new_alert(each, now)
        added.append(alert)
        if each.id not in known:
            row = new_alert_row(alert, each, account_sid, position)
            rows.append(row | {"claimed_by": worker_id})
            first_events.append(event_row(each.id, account_sid, 1, alert.events[0]))
    if rows:
        connection.execute(NEW_ALERT, rows)
        connection.execute(NEW_EVENT, first_events)
    add_words(connection, account_sid, added)
    write_entries(connection, [audit] if audit and added else [])
    return added


def read(connection: sa.Connection, account_sid: str, alert_ids: Iterable[str]) -> dict[str, Alert]:
    """The alerts with all their events, by id; unknown ids are left out."""
    found: dict[str, Alert] = {}
    for ids in in_parts(list(alert_ids)):
        stories: dict[str, list[Event]] = {each: [] for each in ids}
        wanted = {"account": account_sid, "alert_ids": ids}
        # Read alerts before events: then no event up to a revision is missing, and newer ones are
        # cut off.
        rows = connection.execute(CHOSEN, wanted).mappings().all()
        for row in connection.execute(STORIES, wanted).mappings():
            stories[row["alert_id"]].append(event_of(row))
        found |= {row["id"]: alert_of(row, stories[row["id"]][: row["revision"]]) for row in rows}
    return found


def revisions(
    connection: sa.Connection, account_sid: str, alert_ids: Iterable[str]
) -> dict[str, int]:
    """How many events each alert has; unknown ids are left out."""
    wanted = {"account": account_sid, "alert_ids": list(alert_ids)}
    return {row.id: row.revision for row in connection.execute(REVISIONS, wanted)}


def delete_old(connection: sa.Connection, account_sid: str, keep_days: int) -> int:
    """Delete some of the account's ended alerts from before `keep_days` ago, the oldest first.

    All that belongs to them goes too. Returns how many were deleted: 0 once no more are left. Open
    ones stay however old they are.
    """
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


def position_at(moment: datetime) -> int:
    """Return the position of the first alert that is saved at a moment.

    A position is the microseconds since 1970 times 4096, plus a number that tells apart what was
    saved together. So one integer orders a list exactly, and a page of it begins at one.
    """
    return (moment - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1) << POSITION_BITS


def new_position(now: datetime) -> int:
    """Return the position of the first of the alerts that are saved `now`."""
    # Another process may save alerts in the same microsecond.
    return position_at(now) + secrets.randbelow(1 << POSITION_BITS)


def request_of(saved: Row) -> AlertRequest:
    """Return a saved request, without fields that only other versions know."""
    values = {name: saved[name] for name in REQUEST_FIELDS if name in saved}
    return AlertRequest(**values | {"then_to": tuple(values.get("then_to", ()))})


def request_row(request: AlertRequest) -> dict[str, Any]:
    """Return the fields of a request as they are saved."""
    # `asdict` would copy all of it, which takes longer than saving it.
    return {name: getattr(request, name) for name in REQUEST_FIELDS}


def alert_of(row: Row, story: Sequence[Event] = ()) -> Alert:
    """Return the alert in a row, with the events that the caller has read."""
    # An alert without this field is from a version that had filled in its message before saving it.
    request = request_of({"template": False} | row["request"])
    state = {name: row[name] for name in STATE_FIELDS}
    return Alert(
        id=row["id"],
        request=request,
        from_=row["from_number"],
        not_before=_moment(row["not_before"]),
        events=tuple(story),
        tries=tries_of(request),
        **state
        | {
            "since": _moment(row["since"]),
            "status": Status(row["status"]),
            "error": _problem(row["error"]),
            "reply_until": row["reply_until"] and _moment(row["reply_until"]),
            "held_until": row["held_until"] and _moment(row["held_until"]),
        },
    )


def state_row(alert: Alert) -> dict[str, Any]:
    """Return the columns that an event may change, by name."""
    present, stage = alert.present_try, alert.stage
    return {name: getattr(alert, name) for name in STATE_FIELDS} | {
        "status": alert.status.value,
        "stage": stage.value,
        "is_open": not alert.status.final,
        "since": alert.since.timestamp(),
        "channel": present.channel,
        "to_number": present.to,
        "error": alert.error and asdict(alert.error),
        "reply_until": alert.reply_until and alert.reply_until.timestamp(),
        "held_until": alert.held_until and alert.held_until.timestamp(),
    }


def new_alert(new: NewAlert, now: datetime) -> Alert:
    """Return the alert that is saved `now`, and due once its sender can't undo it any more."""
    return Alert(
        id=new.id,
        request=new.request,
        from_=new.from_,
        not_before=now + timedelta(seconds=new.request.hold_seconds),
        events=(Event(now, Status.QUEUED, "Saved"),),
        tries=tries_of(new.request),
        since=now,
    )


def new_alert_row(alert: Alert, new: NewAlert, account_sid: str, position: int) -> dict[str, Any]:
    """Return the row of the alert that `new_alert` has made of `new`."""
    return {
        "id": alert.id,
        "account_sid": account_sid,
        "created_at": alert.since.timestamp(),
        "request": request_row(alert.request),
        "from_number": alert.from_,
        "not_before": alert.not_before.timestamp(),
        "sender": alert.request.user,
        "person": alert.request.name,
        "claimed_by": None,
        "due_at": alert.since.timestamp(),
        "broadcast_id": alert.request.broadcast or None,
        "place_in_broadcast": new.place,
        "rule_id": new.rule_id,
        "position": position,
        "revision": 1,
    } | state_row(alert)


def event_row(alert_id: str, account_sid: str, number: int, event: Event) -> dict[str, Any]:
    """Return the row of an event, the `number`th of its alert."""
    key = {"account_sid": account_sid, "alert_id": alert_id, "number": number}
    return (
        key
        | {name: getattr(event, name) for name in EVENT_FIELDS}
        | {
            "at": event.at.timestamp(),
            "status": event.status and event.status.value,
            "error": event.error and asdict(event.error),
            "held_until": event.held_until and event.held_until.timestamp(),
        }
    )


def event_of(row: Row) -> Event:
    """Return the event in a row."""
    values = {name: row[name] for name in EVENT_FIELDS}
    return Event(
        **values
        | {
            "at": _moment(row["at"]),
            "status": Status(row["status"]) if row["status"] else None,
            "error": _problem(row["error"]),
            "held_until": row["held_until"] and _moment(row["held_until"]),
        }
    )


def _problem(value: Row | None) -> Problem | None:
    return None if value is None else Problem(**value)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
