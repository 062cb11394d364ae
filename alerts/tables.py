"""The tables of the history. Changes to them are migrations: see migrations/.

Times are seconds since 1970 in UTC: SQLite has no type for them, and both databases compare and
index numbers alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from alerts.alert import Alert, AlertRequest, Event, Problem, tries_of
from alerts.state import Standing
from alerts.status import Status

metadata = sa.MetaData()

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
    # Not before: where the number has had its most alerts an hour.
    sa.Column("not_before", sa.Double, nullable=False),
    # Who sent it and who is at the number, for the pages that look for them.
    sa.Column("sender", sa.Text, nullable=False),
    sa.Column("person", sa.Text, nullable=False),
    # The workflow that delivers it; null while none does, which one may begin at `due_at`.
    sa.Column("workflow_id", sa.Text),
    sa.Column("due_at", sa.Double, nullable=False),
    # Where it stands. `revision` is the number of its last event.
    sa.Column("revision", sa.Integer, nullable=False),
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
    alerts.c.workflow_id,
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
# through; only one such may be about a number, so that whatever Twilio has then is surely ours.
submissions = sa.Table(
    "attempts",
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
    sa.Index("attempts_by_alert", "alert_id", "account_sid", "try_number"),
)
sa.Index(
    "attempts_open",
    submissions.c.to_number,
    submissions.c.channel,
    submissions.c.account_sid,
    unique=True,
    sqlite_where=submissions.c.outcome.is_(None),
    postgresql_where=submissions.c.outcome.is_(None),
)

# When an account may next call, and next text.
pace = sa.Table(
    "pace",
    metadata,
    sa.Column("account_sid", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("next_at", sa.Double, nullable=False),
)

# The processes that deliver, or did until they died: see presence.py.
executors = sa.Table(
    "executors",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account_sid", sa.Text, nullable=False),
    # "worker" for one that is there to deliver, "desk" for one that does so beside its pages.
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("started_at", sa.Double, nullable=False),
)


Row = Mapping[Any, Any]


@dataclass(frozen=True, slots=True)
class NewAlert:
    """An alert that is about to be written down for the first time.

    `workflow_id` is the workflow that its writer will start for it, if any.
    """

    id: str
    request: AlertRequest
    from_: str
    workflow_id: str | None


def request_of(row: Row) -> AlertRequest:
    """The request in an alert's row."""
    known = {field.name for field in fields(AlertRequest)}
    values = {name: value for name, value in row["request"].items() if name in known}
    return AlertRequest(**values | {"then_to": tuple(values.get("then_to", ()))})


def standing_of(row: Row) -> Standing:
    """Where an alert's row says that it stands."""
    return Standing(
        since=_moment(row["since"]),
        status=Status(row["status"]),
        try_number=row["try_number"],
        sid=row["sid"],
        twiml_url=row["twiml_url"],
        error=_problem(row["error"]),
        answered_by=row["answered_by"],
        canceling=row["canceling"],
    )


def alert_in(row: Row, story: Sequence[Event]) -> Alert:
    """The alert in a row, with its story."""
    request = request_of(row)
    return Alert(
        id=row["id"],
        request=request,
        from_=row["from_number"],
        not_before=_moment(row["not_before"]),
        events=tuple(story),
        **_present(standing_of(row), request),
    )


def alert_after(before: Alert, now: Standing, event: Event) -> Alert:
    """The alert after the event that directly follows what is known of it."""
    return replace(before, events=(*before.events, event), **_present(now, before.request))


def _present(now: Standing, request: AlertRequest) -> dict[str, Any]:
    """Where an alert stands, as its own fields."""
    present = tries_of(request)[now.try_number - 1]
    standing = {field.name: getattr(now, field.name) for field in fields(Standing)}
    return standing | {"channel": present.channel, "to": present.to}


def alert_row(new: NewAlert, account_sid: str, now: float) -> dict[str, Any]:
    """The row of an alert that is new at `now`, but for the moment before which it mustn't go."""
    return {
        "id": new.id,
        "account_sid": account_sid,
        "created_at": now,
        "request": asdict(new.request),
        "from_number": new.from_,
        "sender": new.request.user,
        "person": new.request.name,
        "workflow_id": new.workflow_id,
        "due_at": now,
        "revision": 1,
    } | standing_row(Standing(since=_moment(now)), new.request)


def standing_row(now: Standing, request: AlertRequest) -> dict[str, Any]:
    """The columns that an event may change."""
    present = tries_of(request)[now.try_number - 1]
    return {
        "status": now.status.value,
        "is_open": not now.status.final,
        "since": now.since.timestamp(),
        "try_number": now.try_number,
        "channel": present.channel,
        "to_number": present.to,
        "sid": now.sid,
        "twiml_url": now.twiml_url,
        "error": now.error and asdict(now.error),
        "answered_by": now.answered_by,
        "canceling": now.canceling,
    }


def event_row(alert: Row, number: int, event: Event) -> dict[str, Any]:
    """The row of an event, the `number`th of the alert in a row."""
    return {
        "account_sid": alert["account_sid"],
        "alert_id": alert["id"],
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


def event_in(row: Row) -> Event:
    """The event in a row."""
    return Event(
        at=_moment(row["at"]),
        status=Status(row["status"]) if row["status"] else None,
        note=row["note"],
        source=row["source"],
        try_number=row["try_number"],
        sid=row["sid"],
        twiml_url=row["twiml_url"],
        error=_problem(row["error"]),
        answered_by=row["answered_by"],
        canceling=row["canceling"],
        news=row["news"],
    )


def _problem(value: Row | None) -> Problem | None:
    return None if value is None else Problem(**value)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
