"""How an alert's state follows from its events, and when its next try is due.

Both are decided only here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, TypeVar

from alerts.alert import Alert, AlertState, Event, HeldFor, Try
from alerts.errors import UnusableInput
from alerts.message.compose import write_message
from alerts.message.speaking_time import shortest_seconds
from alerts.quiet_hours import read_quiet_hours
from alerts.status import ON_THE_WAY, Status
from alerts.time_zones import clock_time

AlertOrEvent = TypeVar("AlertOrEvent", Alert, Event)

# How Twilio's AnsweredBy begins if no person answered: machine_start, machine_end_beep, …, fax.
# https://www.twilio.com/docs/voice/answering-machine-detection
MACHINES = ("machine", "fax")
# How long an alert stays open for a reply after its last text has arrived.
REPLY_WINDOW = timedelta(hours=24)
HUNG_UP_NOTE = "Hung up at once"
# Twilio's seconds are whole, so a call may have been a little longer than it says.
DURATION_MARGIN_SECONDS = 0.5
# Why an alert waits; in its story the time follows.
QUIET = "Quiet hours there: waits until"
HELD_BACK = "Can be undone until"
NUMBERS_HOUR = "This number has reached its hourly limit: waits until"
WHY_HELD: dict[HeldFor, str] = {
    "": "",
    "number": NUMBERS_HOUR,
    "spend": "The day's spend limit is reached: waits until",
}


def apply(alert: Alert, event: Event) -> Alert:
    """Return the alert after `event`, which is added to its events with `news` set.

    Events may come late, twice and in any order: a final status never changes, and within a try the
    status only moves forward. A try that didn't get through leads to the next one, if any. A call
    too short for the message to have been heard ends as `hung_up`.
    """
    if _is_hang_up(alert, event):
        event = replace(event, status=Status.HUNG_UP, note=HUNG_UP_NOTE)
    after = _changed(alert, event)
    news = after is not alert and _values_of(after) != _values_of(alert)
    return replace(after, events=(*alert.events, _with(event, news=news)))


def state_of(alert: AlertState) -> dict[str, Any]:
    """The fields that events may change, by name."""
    return dict(zip(STATE_FIELDS, _values_of(alert), strict=True))


STATE_FIELDS = tuple(field.name for field in fields(AlertState))
_values_of = attrgetter(*STATE_FIELDS)


def _changed(alert: Alert, event: Event) -> Alert:
    if alert.status.final:
        return alert
    if event.status is Status.ACKNOWLEDGED:
        # A key press or a reply proves that a person got it, whichever try it came from.
        return replace(alert, status=event.status, since=event.at, error=None)
    if event.canceling:
        return _after_cancel(alert, event)
    if event.send_now or event.held_until:
        waits = alert.sid is None and event.try_number == alert.try_number
        return _waiting(alert, event) if waits and not alert.canceling else alert
    return alert if event.try_number != alert.try_number else _in_try(alert, event)


def _after_cancel(alert: Alert, event: Event) -> Alert:
    """The alert after a person asked for it to end: at once, if nothing is under way."""
    if alert.status is Status.QUEUED:
        return replace(alert, status=Status.CANCELED, since=event.at, canceling=True)
    return replace(alert, canceling=True)


def _waiting(alert: Alert, event: Event) -> Alert:
    """The waiting alert after a limit held it back, or after a person wants it sent now."""
    if event.held_until:
        return replace(alert, held_until=event.held_until, held_for=event.held_for, send_now=False)
    # Not even a person can exceed the day's spend limit.
    return alert if alert.held_for == "spend" else replace(alert, send_now=True)


def _in_try(alert: Alert, event: Event) -> Alert:
    """The alert after an event of the try that is under way."""
    alert = _with(
        alert,
        sid=alert.sid or event.sid,
        twiml_url=event.twiml_url or alert.twiml_url,
        answered_by=alert.answered_by or event.answered_by,
    )
    if alert.sid is not None and asks_for_reply(alert):
        alert = _with(alert, asks_reply=True)
    status = _status_of_try(alert, event)
    if status is None or not may_follow(alert.status, status):
        return alert
    if status.final and _stays_open(alert, event):
        return alert if alert.reply_until else _open_for_reply(alert, event)
    alert = replace(alert, status=status, since=event.at)
    return _after_try(replace(alert, error=event.error)) if status.final else alert


def _with(value: AlertOrEvent, **changes: Any) -> AlertOrEvent:
    """Return what `replace` returns, or `value` itself if that is the same: most often it is."""
    if all(getattr(value, name) == new for name, new in changes.items()):
        return value
    return replace(value, **changes)


def asks_for_reply(alert: Alert) -> bool:
    """Whether the present try is a text that asks for a reply."""
    return alert.channel == "text" and alert.request.acknowledge


def _stays_open(alert: Alert, event: Event) -> bool:
    """Whether the alert waits for a reply to its last text, although Twilio is done with that.

    Callboard itself ends it once no reply has come for long enough.
    """
    # Not every carrier says that a text arrived, and people reply to those texts too.
    if event.status not in {Status.DELIVERED, Status.UNKNOWN} or alert.sid is None:
        return False
    if event.source == "callboard" or event.error or alert.canceling:
        return False
    if not asks_for_reply(alert):
        return False
    ended = replace(alert, status=event.status or alert.status)
    return next_try(ended, alert.tries) is None


def _open_for_reply(alert: Alert, event: Event) -> Alert:
    until = event.at + REPLY_WINDOW
    return replace(alert, status=Status.PLACED, since=event.at, reply_until=until)


def _is_hang_up(alert: Alert, event: Event) -> bool:
    """Whether a call was over before its message could have been heard once.

    When in doubt it isn't: if a machine may have answered, or it isn't known how long it lasted.
    """
    if event.status is not Status.COMPLETED or event.duration is None or alert.channel != "call":
        return False
    if alert.status.final or alert.canceling or event.try_number != alert.try_number:
        return False
    answered_by = alert.answered_by or event.answered_by
    if (answered_by or "").startswith(MACHINES) or (
        answered_by is None and alert.request.voicemail
    ):
        return False
    try:
        words = write_message(alert.request, event.at)
    except UnusableInput:
        return False  # it had words when the call was placed, but has none at this time of day
    shortest = shortest_seconds(words, alert.request.language)
    return event.duration + DURATION_MARGIN_SECONDS < shortest


def _status_of_try(alert: Alert, event: Event) -> Status | None:
    """The status that the event reports, or voicemail if a machine is known to have answered."""
    if event.status is not Status.COMPLETED or alert.channel != "call":
        return event.status
    if (alert.answered_by or "").startswith(MACHINES):
        return Status.VOICEMAIL
    # Twilio reports who answered in a request of its own, which may come after the call's end.
    is_known = alert.answered_by is not None or not alert.request.voicemail
    return event.status if is_known else None


def _after_try(ended: Alert) -> Alert:
    """The alert after a try has ended: it ends too, or its next try begins."""
    if ended.canceling and ended.status not in {Status.DELIVERED, Status.UNKNOWN}:
        return replace(ended, status=Status.CANCELED, error=None)
    wanted = not (ended.canceling or ended.status is Status.CANCELED or ended.reached)
    following = next_try(ended, ended.tries) if wanted else None
    if following is None:
        return ended
    begun = AlertState(since=ended.since, try_number=following, asks_reply=ended.asks_reply)
    return replace(ended, **state_of(begun))


def may_follow(now: Status, then: Status) -> bool:
    """Whether a try can go from status `now` to `then`: forward only, nothing after a final one."""
    if now.final:
        return False
    return then.final or ON_THE_WAY.index(then) > ON_THE_WAY.index(now)


def next_try(ended: AlertState, tries: Sequence[Try]) -> int | None:
    """The number of the try after one that didn't get through; None if that was the last.

    The same call or text isn't tried again if Twilio refused it, because it would refuse it again,
    or if it isn't known whether it went through, because then only a person may decide to repeat
    it.
    """
    refused = ended.status is Status.FAILED and ended.sid is None
    once_only = refused or ended.status is Status.UNKNOWN
    last = tries[ended.try_number - 1]
    for number, each in enumerate(tries[ended.try_number :], start=ended.try_number + 1):
        # Another extension is another person.
        is_same = replace(each, minutes_later=0) == replace(last, minutes_later=0)
        if not (once_only and is_same):
            return number
    return None


def when_due(alert: Alert) -> tuple[datetime, str]:
    """Return when the alert's next try may begin, and why not before."""
    number = alert.try_number
    if alert.send_now:
        return alert.since, ""
    # Alerts that an earlier version saved may be held for their number's hour this way.
    due, why = alert.not_before, NUMBERS_HOUR
    if number == 1 and due <= alert.since + timedelta(seconds=alert.request.hold_seconds):
        why = HELD_BACK
    if number > 1:
        minutes = alert.present_try.minutes_later
        due, why = alert.since + timedelta(minutes=minutes), f"Try {number} comes at"
    if alert.held_until and alert.held_until > due:
        due, why = alert.held_until, WHY_HELD[alert.held_for]
    end = quiet_until(alert, max(due, datetime.now(UTC)))
    return (end, QUIET) if end else (due, why)


def quiet_until(alert: Alert, moment: datetime) -> datetime | None:
    """Return when quiet hours end if they hold the alert back at `moment`, else None."""
    if alert.send_now or alert.request.urgent or not alert.request.quiet_hours:
        return None
    hours = read_quiet_hours(alert.request.quiet_hours)
    return hours.end_after(moment, alert.to) if hours else None


def waiting_note(alert: Alert, due: datetime, why: str) -> str:
    """Return what the alert's story says while it waits: why, and until when."""
    is_short = why == HELD_BACK
    when = clock_time(due, datetime.now(UTC), alert.request.time_zone, seconds=is_short)
    return f"{why} {when}"
