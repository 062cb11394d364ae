"""The tables of the history, and what their rows mean. Changes to them are migrations.

Times are seconds since 1970 in UTC: SQLite has no type for them, and both databases compare and
index numbers alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from alerts.alert import Alert, AlertRequest, Event, Problem, tries_of
from alerts.state import STATE_FIELDS
from alerts.status import Status

metadata = sa.MetaData()
Row = Mapping[Any, Any]

# An alert: what was asked for, and where it stands, which its events decide.
alerts = sa.Table(
    "alerts",
    metadata,
    # The Twilio account it belongs to: the simulator's alerts are never sent to real people. Each
    # account has ids of its own, so that a script that was tried in a simulation can run for real.
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account_sid", sa.Text, primary_key=True),
    sa.Column("created_at", sa.Double, nullable=False),
    sa.Column("request", sa.JSON, nullable=False),
    sa.Column("from_number", sa.Text, nullable=False),
    # Later than `created_at` where the number has had its most alerts an hour.
    sa.Column("not_before", sa.Double, nullable=False),
    # Who sent it and who is at the number, for the pages that look for them.
    sa.Column("sender", sa.Text, nullable=False),
    sa.Column("person", sa.Text, nullable=False),
    # The worker that delivers it; null while none does, and one may claim it from `due_at` on.
    sa.Column("claimed_by", sa.Text),
    sa.Column("due_at", sa.Double, nullable=False),
    # The number of its last event.
    sa.Column("revision", sa.Integer, nullable=False),
    # Its AlertState, and what follows from that.
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
    # None begins with the account. While a database or an account is young, PostgreSQL takes such
    # an index to be as good as the primary key, and then reads all of the account's alerts.
    sa.Index("alerts_by_time", "created_at", "account_sid"),
    sa.Index("alerts_by_number", "to_number", "account_sid", "created_at"),
    sa.Index("alerts_by_person", "person", "account_sid", "created_at"),
    sa.Index("alerts_by_sender", "sender", "account_sid", "created_at"),
    sa.Index("alerts_by_status", "status", "account_sid", "created_at"),
)

# Few alerts are open at any time, however many there are in all.
sa.Index(
    "alerts_open",
    alerts.c.account_sid,
    alerts.c.claimed_by,
    alerts.c.due_at,
    # In the very words of a query: SQLite uses no other.
    sqlite_where=sa.text("is_open = 1"),
    postgresql_where=alerts.c.is_open,
)

# What happened to an alert. Rows are only ever added.
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
    sa.ForeignKeyConstraint(["alert_id", "account_sid"], [alerts.c.id, alerts.c.account_sid]),
)

# A request to Twilio, written down before it is made. While its outcome is null it may have gone
# through; only one such may exist for a number, so that whatever Twilio has then is that one's.
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
    sa.ForeignKeyConstraint(["alert_id", "account_sid"], [alerts.c.id, alerts.c.account_sid]),
    sa.Index("submissions_by_alert", "alert_id", "account_sid", "try_number"),
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

# When an account may next call, and next text.
rate_limits = sa.Table(
    "rate_limits",
    metadata,
    sa.Column("account_sid", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("next_at", sa.Double, nullable=False),
)

# The processes that deliver, or did until they died: see database/liveness.py.
workers = sa.Table(
    "workers",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account_sid", sa.Text, nullable=False),
    # "worker" for one that only delivers, "app" for one that also has pages.
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("started_at", sa.Double, nullable=False),
)


@dataclass(frozen=True, slots=True)
class NewAlert:
    """An alert that is about to be written down for the first time."""

    id: str
    request: AlertRequest
    from_: str


def alert_of(row: Row, story: Sequence[Event] = ()) -> Alert:
    """The alert in a row, with its story as far as the caller knows it."""
    known = {field.name for field in fields(AlertRequest)}
    values = {name: value for name, value in row["request"].items() if name in known}
    request = AlertRequest(**values | {"then_to": tuple(values.get("then_to", ()))})
    state = {name: row[name] for name in STATE_FIELDS}
    return Alert(
        id=row["id"],
        request=request,
        from_=row["from_number"],
        not_before=_moment(row["not_before"]),
        events=tuple(story),
        **state
        | {
            "since": _moment(row["since"]),
            "status": Status(row["status"]),
            "error": _problem(row["error"]),
        },
    )


def state_row(alert: Alert) -> dict[str, Any]:
    """The columns that an event may change."""
    present = tries_of(alert.request)[alert.try_number - 1]
    state = {name: getattr(alert, name) for name in STATE_FIELDS}
    return state | {
        "status": alert.status.value,
        "is_open": not alert.status.final,
        "since": alert.since.timestamp(),
        "channel": present.channel,
        "to_number": present.to,
        "error": alert.error and asdict(alert.error),
    }


def new_alert_row(new: NewAlert, account_sid: str, now: datetime) -> dict[str, Any]:
    """The row of an alert that is written down `now`, free to be sent at once."""
    alert = Alert(
        id=new.id, request=new.request, from_=new.from_, not_before=now, events=(), since=now
    )
    return {
        "id": new.id,
        "account_sid": account_sid,
        "created_at": now.timestamp(),
        "request": asdict(new.request),
        "from_number": new.from_,
        "not_before": now.timestamp(),
        "sender": new.request.user,
        "person": new.request.name,
        "claimed_by": None,
        "due_at": now.timestamp(),
        "revision": 1,
    } | state_row(alert)


def event_row(alert_id: str, account_sid: str, number: int, event: Event) -> dict[str, Any]:
    """The row of an event, the `number`th of its alert."""
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
        "news": event.news,
    }


def event_of(row: Row) -> Event:
    """The event in a row."""
    values = {field.name: row[field.name] for field in fields(Event)}
    return Event(
        **values
        | {
            "at": _moment(row["at"]),
            "status": Status(row["status"]) if row["status"] else None,
            "error": _problem(row["error"]),
        }
    )


def _problem(value: Row | None) -> Problem | None:
    return None if value is None else Problem(**value)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
