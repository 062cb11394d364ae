"""Where an alert stands, derived from what happened to it: the one place that decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from alerts.alert import AlertRequest, Event, Problem, Try
from alerts.status import Status, may_follow

# How Twilio's words for those who answered begin where nobody did: machine_start, machine_end_beep,
# … and fax. https://www.twilio.com/docs/voice/answering-machine-detection
MACHINES = ("machine", "fax")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an alert stands, and since when: its try `try_number` (from 1) and that try's facts."""

    since: datetime
    status: Status = Status.QUEUED
    try_number: int = 1
    sid: str | None = None
    twiml_url: str | None = None
    error: Problem | None = None
    answered_by: str | None = None
    canceling: bool = False


def after(now: Standing, event: Event, request: AlertRequest, tries: Sequence[Try]) -> Standing:
    """The standing after `event`; the same one where that is no news.

    Events may come late, twice and in any order: a final status never changes, and within a try
    only what lies ahead counts. A try that reached nobody leads to the next one, if any is left.
    """
    if now.status.final:
        return now
    if event.status is Status.ACKNOWLEDGED:
        # Proof of a person, whichever try it was.
        return replace(now, status=event.status, since=event.at, error=None)
    if event.canceling:
        return _after_wish(now, event)
    return now if event.try_number != now.try_number else _in_try(now, event, request, tries)


def _after_wish(now: Standing, event: Event) -> Standing:
    """Somebody wants it to end: at once, if nothing is under way."""
    if now.status is Status.QUEUED:
        return replace(now, status=Status.CANCELED, since=event.at, canceling=True)
    return replace(now, canceling=True)


def _in_try(now: Standing, event: Event, request: AlertRequest, tries: Sequence[Try]) -> Standing:
    """The standing after an event of the try that is under way."""
    now = replace(
        now,
        sid=now.sid or event.sid,
        twiml_url=event.twiml_url or now.twiml_url,
        answered_by=now.answered_by or event.answered_by,
    )
    status = _status_of_try(now, event, request, tries)
    if status is None or not may_follow(now.status, status):
        return now
    if not status.final:
        return replace(now, status=status, since=event.at)
    return _after_try(
        replace(now, status=status, since=event.at, error=event.error), request, tries
    )


def _status_of_try(
    now: Standing, event: Event, request: AlertRequest, tries: Sequence[Try]
) -> Status | None:
    """What the event says about the try: voicemail if a machine is known to have answered."""
    if event.status is not Status.COMPLETED or tries[now.try_number - 1].channel != "call":
        return event.status
    if (now.answered_by or "").startswith(MACHINES):
        return Status.VOICEMAIL
    # Who answered is told apart from the end of the call, and may come after it.
    return event.status if now.answered_by is not None or not request.voicemail else None


def _after_try(ended: Standing, request: AlertRequest, tries: Sequence[Try]) -> Standing:
    """What a try's end means for the alert: its end too, or the next try."""
    if ended.canceling and ended.status not in {Status.DELIVERED, Status.UNKNOWN}:
        return replace(ended, status=Status.CANCELED, error=None)
    wanted = not (
        ended.canceling
        or ended.status is Status.CANCELED
        or ended.status.reaches(acknowledge=request.acknowledge)
    )
    following = next_try(ended, tries) if wanted else None
    return ended if following is None else Standing(since=ended.since, try_number=following)


def next_try(ended: Standing, tries: Sequence[Try]) -> int | None:
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
