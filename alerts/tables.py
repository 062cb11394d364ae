"""The tables of the history, and how their rows are read and written.

A change to a table needs a migration, see database/migrations. Times are seconds since 1970 in UTC:
SQLite has no type for times, and both databases compare and index numbers alike.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from alerts.alert import Alert, AlertRequest, Event, Problem, tries_of
from alerts.state import STATE_FIELDS, state_of
from alerts.status import Status
from database.tables import metadata

Row = Mapping[Any, Any]

POSITION_BITS = 12

# Alerts: what was asked for, and the state that follows from the events.
alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    # The Twilio account. The simulator has its own, so its alerts are never sent to real people,
    # and a script that was tried out in a simulation can use the same ids again for real.
    sa.Column("account_sid", sa.Text, primary_key=True),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("request", sa.JSON, nullable=False),
    sa.Column("from_number", sa.Text, nullable=False),
    # Later than `created_at` for as long as its sender can undo it.
    sa.Column("not_before", sa.Double, nullable=False),
    # The sender's and the recipient's name, for pages that search by them.
    sa.Column("sender", sa.Text, nullable=False),
    sa.Column("person", sa.Text, nullable=False),
    # The id of the worker that delivers it. While it is null, a worker may claim it from `due_at`.
    sa.Column("claimed_by", sa.Text),
    sa.Column("due_at", sa.Double, nullable=False),
    # The number of the alert's last event.
    sa.Column("revision", sa.Integer, nullable=False),
    # The alert's AlertState, and what follows from it.
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("is_open", sa.Boolean, nullable=False),
    sa.Column("since", sa.Double, nullable=False),
    sa.Column("try_number", sa.Integer, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("to_number", sa.Text, nullable=False),
    sa.Column("sid", sa.Text),
    sa.Column("twiml_url", sa.Text),
    sa.Column("error", sa.JSON(none_as_null=True)),
    sa.Column("answered_by", sa.Text),
    sa.Column("canceling", sa.Boolean, nullable=False),
    # The broadcast that it belongs to, if any, and its place there, from 0.
    sa.Column("broadcast_id", sa.Text),
    sa.Column("place_in_broadcast", sa.Integer),
    # Of the AlertState too.
    sa.Column("send_now", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("asks_reply", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("reply_until", sa.Double),
    # Its place in lists, newest last: see `position_at`.
    sa.Column("position", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    # Its Stage, which follows from its status and from what was asked for.
    sa.Column("stage", sa.Text, nullable=False, server_default=sa.text("'queued'")),
    # The rule whose alert it is, if any.
    sa.Column("rule_id", sa.Text),
    # Of the AlertState too.
    sa.Column("held_until", sa.Double),
    sa.Column("held_for", sa.Text, nullable=False, server_default=sa.text("''")),
    # No index begins with the account. As long as there are few rows, PostgreSQL takes such an
    # index to be as good as the primary key, and then reads all of the account's alerts.
    sa.Index("alerts_by_time", "created_at", "account_sid"),
    sa.Index("alerts_by_number", "to_number", "account_sid", "created_at"),
    # For lists, see search.py: they read the alerts of each stage and channel in order.
    sa.Index("alerts_by_stage", "stage", "account_sid", "channel", "position", "broadcast_id"),
    sa.Index(
        "alerts_by_sender", "sender", "account_sid", "stage", "channel", "position", "broadcast_id"
    ),
)

# A partial index: few alerts are open at any time, however many there are in all.
sa.Index(
    "alerts_open",
    alerts.c.account_sid,
    alerts.c.claimed_by,
    alerts.c.due_at,
    # SQLite uses a partial index only if a query has this very condition.
    sqlite_where=sa.text("is_open = 1"),
    postgresql_where=alerts.c.is_open,
)

sa.Index(
    "alerts_by_broadcast",
    alerts.c.broadcast_id,
    alerts.c.account_sid,
    alerts.c.stage,
    alerts.c.position,
    sqlite_where=alerts.c.broadcast_id.is_not(None),
    postgresql_where=alerts.c.broadcast_id.is_not(None),
)

sa.Index(
    "alerts_by_rule",
    alerts.c.rule_id,
    alerts.c.account_sid,
    alerts.c.stage,
    alerts.c.channel,
    alerts.c.position,
    sqlite_where=alerts.c.rule_id.is_not(None),
    postgresql_where=alerts.c.rule_id.is_not(None),
)

# Many alerts with one title.
broadcasts = sa.Table(
    "broadcasts",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account_sid", sa.Text, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("sender", sa.Text, nullable=False),
    sa.Column("created_at", sa.Double, nullable=False),
)

# What happened to alerts. Rows are only ever added.
events = sa.Table(
    "events",
    metadata,
    sa.Column("alert_id", sa.Text, primary_key=True),
    sa.Column("account_sid", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("try_number", sa.Integer, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("status", sa.Text),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("sid", sa.Text),
    sa.Column("twiml_url", sa.Text),
    sa.Column("error", sa.JSON(none_as_null=True)),
    sa.Column("answered_by", sa.Text),
    sa.Column("canceling", sa.Boolean, nullable=False),
    sa.Column("news", sa.Boolean, nullable=False),
    sa.Column("duration", sa.Integer),
    sa.Column("send_now", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("held_until", sa.Double),
    sa.Column("held_for", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.ForeignKeyConstraint(["alert_id", "account_sid"], [alerts.c.id, alerts.c.account_sid]),
)

# Requests to Twilio, saved before they are made. While its outcome is null, one may have gone
# through. A number may have only one such at a time: a new call in Twilio's list is then that one.
submissions = sa.Table(
    "submissions",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("alert_id", sa.Text, nullable=False),
    sa.Column("account_sid", sa.Text, nullable=False),
    sa.Column("try_number", sa.Integer, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("to_number", sa.Text, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("outcome", sa.Text),
    sa.Column("sid", sa.Text, unique=True),
    # What Twilio charged for it, as a positive number, once that is known.
    sa.Column("price", sa.Double),
    sa.Column("price_unit", sa.Text),
    # What it is taken to cost until then, in the same currency.
    sa.Column("estimate", sa.Double),
    sa.ForeignKeyConstraint(["alert_id", "account_sid"], [alerts.c.id, alerts.c.account_sid]),
    sa.Index("submissions_by_alert", "alert_id", "account_sid", "try_number"),
    sa.Index("submissions_by_number", "to_number", "account_sid", "at"),
    sa.Index("submissions_by_time", "at"),
)
sa.Index(
    "submissions_open",
    submissions.c.to_number,
    submissions.c.channel,
    submissions.c.account_sid,
    unique=True,
    sqlite_where=submissions.c.outcome.is_(None),
    postgresql_where=submissions.c.outcome.is_(None),
)
sa.Index(
    "submissions_unpriced",
    submissions.c.at,
    submissions.c.account_sid,
    # SQLite uses a partial index only if a query has this very condition.
    sqlite_where=submissions.c.price.is_(None),
    postgresql_where=submissions.c.price.is_(None),
)

sa.Index(
    "submissions_of_later_tries",
    submissions.c.at,
    submissions.c.account_sid,
    sqlite_where=submissions.c.try_number > 1,
    postgresql_where=submissions.c.try_number > 1,
)

# Texts that came in at one of the account's numbers.
incoming_texts = sa.Table(
    "incoming_texts",
    metadata,
    sa.Column("sid", sa.Text, primary_key=True),
    sa.Column("account_sid", sa.Text, nullable=False),
    sa.Column("from_number", sa.Text, nullable=False),
    sa.Column("to_number", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    # The alert that it replies to, if any.
    sa.Column("alert_id", sa.Text),
    sa.Index("incoming_texts_by_number", "from_number", "at"),
    sa.Index("incoming_texts_by_alert", "alert_id", "account_sid"),
)

# Numbers that texts can't go to: "stop" or "landline", and since when.
texting_states = sa.Table(
    "texting_states",
    metadata,
    sa.Column("number", sa.Text, primary_key=True),
    sa.Column("account_sid", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("since", sa.Double, nullable=False),
)

# When an account may make its next call and send its next text.
rate_limits = sa.Table(
    "rate_limits",
    metadata,
    sa.Column("account_sid", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("next_at", sa.Double, nullable=False),
)

# Whether an account sends at all: see emergency_stop.py. Its row is locked by whatever begins a
# submission or saves alerts, so that no two of these count at the same time.
sending = sa.Table(
    "sending",
    metadata,
    sa.Column("account_sid", sa.Text, primary_key=True),
    # Since when everything is stopped, or null.
    sa.Column("stopped_at", sa.Double),
    sa.Column("stopped_by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)

# How many alerts were refused because somebody had asked for too many, by the hour since 1970.
refusals = sa.Table(
    "refusals",
    metadata,
    sa.Column("account_sid", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("hour", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("alerts", sa.Integer, nullable=False),
    sa.Column("last_at", sa.Double, nullable=False),
)

# Broadcasts to so many people that a second person has to say yes: see approvals.py.
approvals = sa.Table(
    "approvals",
    metadata,
    # That of the broadcast too, once it is sent.
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account_sid", sa.Text, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("requests", sa.JSON, nullable=False),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("asked_at", sa.Double, nullable=False),
    sa.Column("expires_at", sa.Double, nullable=False),
    # waiting, sent, refused or stopped
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("decided_by", sa.Text, nullable=False),
    sa.Column("decided_at", sa.Double),
    sa.Index("approvals_by_time", "asked_at", "account_sid"),
)

# The workers, dead or alive: see liveness.py.
workers = sa.Table(
    "workers",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account_sid", sa.Text, nullable=False),
    # A Mode: "worker" or "app".
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("started_at", sa.Double, nullable=False),
    # When it was last known to be alive, by the database's clock.
    sa.Column("seen_at", sa.Double, nullable=False, server_default=sa.text("0")),
)


@dataclass(frozen=True, slots=True)
class NewAlert:
    """An alert that is to be saved for the first time.

    `place` is that among the alerts of its broadcast, if it belongs to one. `rule_id` is the rule
    whose alert it is, if any.
    """

    id: str
    request: AlertRequest
    from_: str
    place: int | None = None
    rule_id: str | None = None


def position_at(moment: datetime) -> int:
    """Return the position of the first alert that is saved at a moment.

    A position is the microseconds since 1970 times 4096, and a number that tells apart what was
    saved together. One whole number orders a list exactly, and its parts begin at one of them.
    """
    return (moment - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1) << POSITION_BITS


def new_position(now: datetime) -> int:
    """Return the position of the first of the alerts that are saved `now`."""
    # Another process may save alerts in the same microsecond.
    return position_at(now) + secrets.randbelow(1 << POSITION_BITS)


def alert_of(row: Row, story: Sequence[Event] = ()) -> Alert:
    """Return the alert in a row, with the events that the caller has read."""
    known = {field.name for field in fields(AlertRequest)}
    values = {name: value for name, value in row["request"].items() if name in known}
    # An alert without this field is from a version that had filled in its message before saving it.
    values.setdefault("template", False)
    request = AlertRequest(**values | {"then_to": tuple(values.get("then_to", ()))})
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
    present = alert.present_try
    return state_of(alert) | {
        "status": alert.status.value,
        "stage": alert.stage.value,
        "is_open": not alert.status.final,
        "since": alert.since.timestamp(),
        "channel": present.channel,
        "to_number": present.to,
        "error": alert.error and asdict(alert.error),
        "reply_until": alert.reply_until and alert.reply_until.timestamp(),
        "held_until": alert.held_until and alert.held_until.timestamp(),
    }


def new_alert(new: NewAlert, now: datetime) -> Alert:
    """Return the alert that is saved `now`, and due once its sender can't undo it."""
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
        "request": asdict(alert.request),
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
    return {
        "account_sid": account_sid,
        "alert_id": alert_id,
        "number": number,
        "at": event.at.timestamp(),
        "try_number": event.try_number,
        "source": event.source,
        "status": event.status and event.status.value,
        "note": event.note,
        "sid": event.sid,
        "twiml_url": event.twiml_url,
        "error": event.error and asdict(event.error),
        "answered_by": event.answered_by,
        "canceling": event.canceling,
        "duration": event.duration,
        "send_now": event.send_now,
        "held_until": event.held_until and event.held_until.timestamp(),
        "held_for": event.held_for,
        "news": event.news,
    }


def event_of(row: Row) -> Event:
    """Return the event in a row."""
    values = {field.name: row[field.name] for field in fields(Event)}
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
