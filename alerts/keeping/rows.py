"""The history's rows, and what they mean: alerts, events and standings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

from alerts.alert import Alert, AlertRequest, Event, Problem
from alerts.plan import tries_of
from alerts.standing import Standing
from alerts.status import Status

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
