"""How an alert's state follows from its events: the one place that decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from alerts.alert import Alert, AlertState, Event, Try, tries_of
from alerts.status import ON_THE_WAY, Status

# How Twilio's words for what answered begin where it was no person: machine_start,
# machine_end_beep, … and fax. https://www.twilio.com/docs/voice/answering-machine-detection
MACHINES = ("machine", "fax")


def apply(alert: Alert, event: Event) -> Alert:
    """The alert after `event`, which its story then ends with; `news` tells if its state changed.

    Events may come late, twice and in any order: a final status never changes, and within a try
    only what lies ahead counts. A try that reached nobody leads to the next one, if any is left.
    """
    after = _changed(alert, event)
    event = replace(event, news=after is not alert and state_of(after) != state_of(alert))
    return replace(after, events=(*alert.events, event))


def state_of(alert: AlertState) -> dict[str, Any]:
    """The fields that events may change, by name."""
    return {name: getattr(alert, name) for name in STATE_FIELDS}


STATE_FIELDS = tuple(field.name for field in fields(AlertState))


def _changed(alert: Alert, event: Event) -> Alert:
    if alert.status.final:
        return alert
    if event.status is Status.ACKNOWLEDGED:
        # Proof of a person, whichever try it came from.
        return replace(alert, status=event.status, since=event.at, error=None)
    if event.canceling:
        return _after_cancel(alert, event)
    return alert if event.try_number != alert.try_number else _in_try(alert, event)


def _after_cancel(alert: Alert, event: Event) -> Alert:
    """A person wants it to end: at once, if nothing is under way."""
    if alert.status is Status.QUEUED:
        return replace(alert, status=Status.CANCELED, since=event.at, canceling=True)
    return replace(alert, canceling=True)


def _in_try(alert: Alert, event: Event) -> Alert:
    """The alert after an event of the try that is under way."""
    alert = replace(
        alert,
        sid=alert.sid or event.sid,
        twiml_url=event.twiml_url or alert.twiml_url,
        answered_by=alert.answered_by or event.answered_by,
    )
    status = _status_of_try(alert, event)
    if status is None or not may_follow(alert.status, status):
        return alert
    alert = replace(alert, status=status, since=event.at)
    return _after_try(replace(alert, error=event.error)) if status.final else alert


def _status_of_try(alert: Alert, event: Event) -> Status | None:
    """What the event says about the try: voicemail if a machine is known to have answered."""
    if event.status is not Status.COMPLETED or alert.channel != "call":
        return event.status
    if (alert.answered_by or "").startswith(MACHINES):
        return Status.VOICEMAIL
    # Who answered is reported apart from the end of the call, and may come after it.
    is_known = alert.answered_by is not None or not alert.request.voicemail
    return event.status if is_known else None


def _after_try(ended: Alert) -> Alert:
    """What a try's end means for the alert: its end too, or the next try."""
    if ended.canceling and ended.status not in {Status.DELIVERED, Status.UNKNOWN}:
        return replace(ended, status=Status.CANCELED, error=None)
    wanted = not (ended.canceling or ended.status is Status.CANCELED or ended.reached)
    following = next_try(ended, tries_of(ended.request)) if wanted else None
    if following is None:
        return ended
    return replace(ended, **state_of(AlertState(since=ended.since, try_number=following)))


def may_follow(now: Status, then: Status) -> bool:
    """Whether `then` is news: forward only, and nothing after a final status."""
    if now.final:
        return False
    return then.final or ON_THE_WAY.index(then) > ON_THE_WAY.index(now)


def next_try(ended: AlertState, tries: Sequence[Try]) -> int | None:
    """The number of the try after one that reached nobody; None if that was the last.

    What Twilio refused outright, it would refuse again; and where nobody can tell whether it went
    through, only a person may decide to do the same again. The same number is then left out.
    """
    refused = ended.status is Status.FAILED and ended.sid is None
    once_only = refused or ended.status is Status.UNKNOWN
    last = tries[ended.try_number - 1]
    for number, each in enumerate(tries[ended.try_number :], start=ended.try_number + 1):
        if not (once_only and (each.channel, each.to) == (last.channel, last.to)):
            return number
    return None
