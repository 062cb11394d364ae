"""Alerts made by hand from a list of events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from alerts import Alert, AlertRequest, Event, Status
from alerts.alert import tries_of
from alerts.state import apply

NUMBER = "+14128574309"
CALLER = "+17248675309"
CALL = AlertRequest("call", NUMBER, "Batch 1407 is off.")
TEXT = AlertRequest("text", NUMBER, "Batch 1407 is off.")
BEGAN = datetime(2026, 11, 20, 9, 42, tzinfo=UTC)


def saved(request: AlertRequest) -> Alert:
    """An alert that was just saved."""
    event = Event(BEGAN, Status.QUEUED, "Saved")
    return Alert(
        id="1",
        request=request,
        from_=CALLER,
        since=BEGAN,
        not_before=BEGAN,
        events=(event,),
        tries=tries_of(request),
    )


def alert_after_events(request: AlertRequest, *happened: dict[str, Any]) -> Alert:
    """The alert after these events, one a second; `note` and `status` are those of `Event`."""
    alert = saved(request)
    for second, fields in enumerate(happened, start=1):
        event = Event(**{"at": BEGAN + timedelta(seconds=second), "status": None} | fields)
        alert = apply(alert, event)
    return alert


def steps(*statuses: Status, try_number: int = 1, **fields: Any) -> Sequence[dict[str, Any]]:
    """Events that bring a try through these statuses, with the notes that they usually have."""
    notes = {
        Status.SENDING: "Stored in data/twiml",
        Status.PLACED: "Accepted by Twilio",
        Status.RINGING: "Ringing",
        Status.ANSWERED: "Answered",
        Status.COMPLETED: "Call ended",
        Status.UNANSWERED: "Nobody answered",
        Status.DELIVERED: "Delivered",
        Status.ACKNOWLEDGED: "Pressed 1",
        Status.FAILED: "Twilio refused it",
        Status.UNKNOWN: "Not known whether it was sent",
        Status.CANCELED: "Canceled",
    }
    return [
        {"status": each, "note": notes[each], "try_number": try_number}
        | ({"sid": f"CA{try_number}"} if each is Status.PLACED else {})
        | fields
        for each in statuses
    ]
