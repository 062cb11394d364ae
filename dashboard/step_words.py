"""The words of a step: mostly an event's own."""

from __future__ import annotations

from alerts import Alert, Event, Status
from alerts.alert import tries_of
from alerts.phone_numbers import international


def event_words(alert: Alert, event: Event) -> str:
    """What an event of the present try is called."""
    if event.status is Status.RINGING:
        return f"Ringing {international(alert.to)}"
    if event.status is Status.CANCELED and alert.canceling:
        # Who canceled it has been told.
        return "It is over" if alert.sid else "Nothing was sent"
    if event.status is not None and event.status.final:
        return end_words(alert, event, by_machine=alert.status is Status.VOICEMAIL)
    return event.note


def end_words(alert: Alert, event: Event, *, by_machine: bool) -> str:
    """What the end of a try is called."""
    if event.status is not Status.COMPLETED:
        return event.note
    if by_machine:
        return "Voicemail took the call"
    return "Nobody pressed 1" if alert.request.acknowledge else event.note


def try_words(alert: Alert) -> str:
    """ "Try 2 of 3", and what is new about it."""
    tries = tries_of(alert.request)
    words = f"Try {alert.try_number} of {len(tries)}"
    present, before = tries[alert.try_number - 1], tries[alert.try_number - 2]
    new = ["a text"] if present.channel != before.channel and present.channel == "text" else []
    if present.to != before.to:
        new.append(international(present.to))
    return f"{words}: {' to '.join(new)}" if new else words
