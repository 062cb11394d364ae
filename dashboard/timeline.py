"""The line of dots: what happened to an alert, what is happening, and what is still to come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from itertools import takewhile
from typing import Literal

from htmltools import Tag, tags

from alerts import Alert, Channel, Event, Status
from alerts.alert import Problem, tries_of
from alerts.phone_numbers import international
from alerts.replies import REPLIED
from alerts.time_zones import in_time_zone

# Words that differ if the reader is the one who is called.
OF_READER = {
    "They press 1": "You press 1",
    "Nobody pressed 1": "You didn't press 1",
    "Nobody answered": "You didn't answer",
    "The call was answered, but nobody pressed 1 to confirm it.": (
        "You answered the call, but didn't press 1 to confirm it."
    ),
}
PRESSED = "Pressed "

State = Literal["past", "missed", "future", "present", "waiting", "reached", "failed"]

# Earlier tries than these are only counted.
MAX_PAST_TRIES = 4


@dataclass(frozen=True, slots=True)
class Step:
    """One dot: its words, and when it happened (None: not known, or not yet)."""

    state: State
    words: str
    at: datetime | None = None


# --- As HTML ------------------------------------------------------------------------------------


def story(alert: Alert, time_zone: str, *, to_reader: bool = False) -> Tag:
    """Return the line of dots for `alert`, and what to do if it ended badly.

    Times are on the clock of `time_zone`, an IANA name. With `to_reader` the reader is the one who
    is called.
    """
    steps = _told_to_reader(steps_of(alert)) if to_reader else steps_of(alert)
    explanation = _explanation(alert, to_reader=to_reader)
    return tags.div(_line(steps, time_zone), explanation, class_="cb-story")


def line_ahead(steps: Sequence[Step]) -> Tag:
    """Return just the line of dots, for an alert that hasn't been sent yet."""
    return tags.div(_line(steps), class_="cb-story")


def story_ahead(channel: Channel, *, acknowledge: bool, note: str) -> Tag:
    """Return the line as it will look once there is an alert; `note` says why there is none yet."""
    return tags.div(
        tags.div(
            tags.h2("What happens"),
            None if note else tags.span("Nothing sent yet", class_="nothing-yet"),
            class_="card-heading",
        ),
        _line(steps_ahead(channel, acknowledge=acknowledge)),
        tags.div(tags.p(note), class_="explanation waiting") if note else None,
        class_="cb-story",
    )


def announcement_of(alert: Alert, *, to_reader: bool = False) -> str:
    """Say where the alert stands, for people who hear the page."""
    steps = _told_to_reader(steps_of(alert)) if to_reader else steps_of(alert)
    present = next(step for step in reversed(steps) if step.state != "future")
    return " ".join([f"{present.words}.", *_reasons(alert, to_reader=to_reader)])


def tone(alert: Alert) -> State:
    """Return the color for an alert's status; a word always stands beside it."""
    if not alert.status.final:
        return "present"
    if alert.reached:
        return "reached"
    missed = {Status.FAILED, Status.UNANSWERED, Status.HUNG_UP}
    return "failed" if alert.status in missed else "waiting"


def _line(steps: Sequence[Step], time_zone: str = "") -> Tag:
    return tags.ol(*(_dot(step, time_zone) for step in steps), class_="timeline")


# When one step changes, the others stay as they are.
@lru_cache(maxsize=1000)
def _dot(step: Step, time_zone: str) -> Tag:
    is_present = step.state not in {"past", "missed", "future"}
    time = "" if step.at is None else f"{in_time_zone(step.at, time_zone):%H:%M:%S}"
    return tags.li(
        tags.span(step.words, class_="words"),
        tags.span(time, class_="time"),
        class_=step.state,
        aria_current="step" if is_present else None,
    )


def _explanation(alert: Alert, *, to_reader: bool = False) -> Tag | None:
    reasons = _reasons(alert, to_reader=to_reader)
    if not reasons:
        return None
    error = _trouble(alert)
    # Twilio's own words come last: ours say what to do.
    code = f"Twilio error {error.code}: {error.message}" if error and error.code else None
    return tags.div(
        *map(tags.p, reasons),
        tags.p(code, class_="code") if code else None,
        class_=f"explanation {tone(alert) if alert.status.final else 'waiting'}",
    )


def _trouble(alert: Alert) -> Problem | None:
    """Return why the alert failed, or what keeps it from going on at the moment."""
    if alert.status.final:
        return alert.error
    last = next(filter(_is_shown, reversed(alert.events)))
    return last.error if last.status is None else None


def _reasons(alert: Alert, *, to_reader: bool) -> list[str]:
    """Say in sentences why it ended like this, or can't go on at the moment, and what to do."""
    said = _all_reasons(alert)
    return [OF_READER.get(each, each) for each in said] if to_reader else said


def _all_reasons(alert: Alert) -> list[str]:
    error = _trouble(alert)
    if alert.status is Status.UNKNOWN:
        again = "ring them twice" if alert.channel == "call" else "reach them twice"
        known = "Twilio accepted it. " if alert.sid else ""
        reasons = [f"{known}It may have been delivered, or not. Sending it again may {again}."]
        return [*reasons, error.message] if error and error.code is None else reasons
    if error:
        return [error.message, error.hint] if error.code is None else [error.hint]
    if alert.status is Status.COMPLETED and not alert.reached:
        return ["The call was answered, but nobody pressed 1 to confirm it."]
    if alert.status is Status.HUNG_UP:
        return ["The call was over before its message could have been heard once."]
    if alert.status is Status.DELIVERED and not alert.reached:
        return ["The text was delivered, but nobody replied 1 to confirm it."]
    return []


# --- The steps ----------------------------------------------------------------------------------


def steps_ahead(channel: Channel, *, acknowledge: bool, to_reader: bool = False) -> list[Step]:
    """Return what will happen to an alert that hasn't been sent yet."""
    steps = [Step("future", words) for _, words in _expected(channel, acknowledge=acknowledge)]
    return _told_to_reader(steps) if to_reader else steps


def steps_of(alert: Alert) -> list[Step]:
    """Return the whole line: one step for each earlier try, and the present try step by step."""
    saved, *later = _shown_events(alert)
    present = [event for event in later if _is_present(event, alert)]
    past = [event for event in later if not _is_present(event, alert)]
    *before, last = [
        _step(alert, saved),
        *_past_tries(alert, past),
        *_present_try(alert, present),
    ]
    last = replace(last, state=_state_of_last(alert, (present or [saved])[-1]))
    return [*before, last, *_ahead(alert)]


def _expected(channel: Channel, *, acknowledge: bool) -> tuple[tuple[Status, str], ...]:
    """Return what should happen, in order; an alert's own events replace these words."""
    if channel == "text":
        return (
            (Status.QUEUED, "Saved"),
            (Status.SENDING, "On its way to Twilio"),
            (Status.PLACED, "Accepted by Twilio"),
            (Status.DELIVERED, "Delivered"),
            *([(Status.ACKNOWLEDGED, "They reply 1")] if acknowledge else []),
        )
    return (
        (Status.QUEUED, "Saved"),
        (Status.SENDING, "Stored where Twilio reads it"),
        (Status.PLACED, "Accepted by Twilio"),
        (Status.RINGING, "Ringing"),
        (Status.ANSWERED, "Answered"),
        (Status.ACKNOWLEDGED, "They press 1") if acknowledge else (Status.COMPLETED, "Call ended"),
    )


def _shown_events(alert: Alert) -> list[Event]:
    """Return the events worth a step: changes, and remarks such as what the alert waits for."""
    shown = list(filter(_is_shown, alert.events))
    if alert.status.final:
        while not (shown[-1].news or _is_reply(shown[-1])):
            shown.pop()  # a remark that came after the end
    return shown


def _is_shown(event: Event) -> bool:
    return event.news or _is_remark(event) or _is_reply(event)


def _is_reply(event: Event) -> bool:
    return event.source == "recipient" and event.note.startswith(REPLIED)


def _is_remark(event: Event) -> bool:
    return event.status is None and event.source in {"callboard", "recipient"}


def _is_present(event: Event, alert: Alert) -> bool:
    """Return whether it belongs to the present try; a key press or canceling always does."""
    is_about_all = event.status is Status.ACKNOWLEDGED or event.canceling
    return event.try_number == alert.try_number or is_about_all


def _past_tries(alert: Alert, events: Sequence[Event]) -> list[Step]:
    ends = {event.try_number: event for event in events if event.status and event.status.final}
    machines = {event.try_number for event in events if _is_by_machine(event)}
    tries = tries_of(alert.request)
    steps = [
        replace(
            _step(alert, end),
            state="missed",
            words=f"Try {number} to {international(tries[number - 1].dialed)}: "
            + _end_words(alert, end, by_machine=number in machines),
        )
        for number, end in sorted(ends.items())
    ]
    more = len(steps) - MAX_PAST_TRIES
    if more <= 1:
        return steps
    return [Step("missed", f"{more} earlier tries reached nobody"), *steps[more:]]


def _present_try(alert: Alert, events: Sequence[Event]) -> list[Step]:
    if alert.try_number == 1:
        return _own_steps(alert, events)
    begun = next((event for event in events if _is_own(event, alert)), None)
    remarks = list(takewhile(lambda event: event is not begun, events))
    waiting = [event for event in remarks if event.status is None and not event.canceling]
    steps = _own_steps(alert, [event for event in events if event not in waiting])
    # Until it begins, its first step says what it waits for; after that, which try it is.
    if begun is not None:
        return [replace(_step(alert, begun), words=_try_words(alert)), *steps]
    if alert.status.final:
        return steps
    return [_step(alert, waiting[-1]) if waiting else Step("past", _try_words(alert)), *steps]


def _own_steps(alert: Alert, events: Sequence[Event]) -> list[Step]:
    expected = _expected(alert.channel, acknowledge=alert.request.acknowledge)
    order, reached = [status for status, _ in expected], 0
    steps: list[Step] = []
    for event in events:
        if event.status in order and _is_own(event, alert):
            position = order.index(event.status)
            if position <= reached:
                continue  # a later event came first
            # Twilio skips callbacks: what lies between must have happened, at an unknown time.
            steps += [Step("past", words) for _, words in expected[reached + 1 : position]]
            reached = position
        steps.append(_step(alert, event))
    return steps


def _is_own(event: Event, alert: Alert) -> bool:
    """Return whether it says where the present try stands."""
    return event.status is not None and event.try_number == alert.try_number


def _ahead(alert: Alert) -> list[Step]:
    if alert.status.final:
        return []
    expected = _expected(alert.channel, acknowledge=alert.request.acknowledge)
    # A text that has arrived stays open as long as it waits for a reply.
    status = Status.DELIVERED if alert.reply_until else alert.status
    reached = [status for status, _ in expected].index(status)
    return [Step("future", words) for _, words in expected[reached + 1 :]]


def _step(alert: Alert, event: Event) -> Step:
    return Step("past", _event_words(alert, event), event.at)


def _state_of_last(alert: Alert, event: Event) -> State:
    """Return how the last step that happened looks; `event` is the one it shows."""
    if alert.status.final:
        return tone(alert)
    if alert.reply_until:
        return "waiting"
    waits = event.status is None and event.source in {"callboard", "sender"}
    return "waiting" if waits else "present"


def _is_by_machine(event: Event) -> bool:
    return (event.answered_by or "").startswith("machine")


def _told_to_reader(steps: Sequence[Step]) -> list[Step]:
    """Return the steps in words for the one who is called."""
    return [replace(each, words=_of_reader(each.words)) for each in steps]


def _of_reader(words: str) -> str:
    if words.startswith(PRESSED):
        return f"You pressed {words.removeprefix(PRESSED)}"
    return OF_READER.get(words, words)


# --- Their words --------------------------------------------------------------------------------


def _event_words(alert: Alert, event: Event) -> str:
    """Return what an event of the present try is called."""
    if event.status is Status.RINGING:
        return f"Ringing {international(alert.present_try.dialed)}"
    if event.status is Status.CANCELED and alert.canceling:
        # The step before says who canceled it.
        return "Ended" if alert.sid else "Nothing was sent"
    if event.status is not None and event.status.final:
        return _end_words(alert, event, by_machine=alert.status is Status.VOICEMAIL)
    return event.note


def _end_words(alert: Alert, event: Event, *, by_machine: bool) -> str:
    """Return what the end of a try is called."""
    if event.status is not Status.COMPLETED:
        return event.note
    if by_machine:
        return "Voicemail took the call"
    return "Nobody pressed 1" if alert.request.acknowledge else event.note


def _try_words(alert: Alert) -> str:
    """Return "Try 2 of 3", and what differs from the try before."""
    tries = tries_of(alert.request)
    words = f"Try {alert.try_number} of {len(tries)}"
    present, before = tries[alert.try_number - 1], tries[alert.try_number - 2]
    new = ["a text"] if present.channel != before.channel and present.channel == "text" else []
    if present.dialed != before.dialed:
        new.append(international(present.dialed))
    return f"{words}: {' to '.join(new)}" if new else words
