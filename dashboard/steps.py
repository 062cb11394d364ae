"""The story of an alert as steps: what happened, what is happening, what will."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Literal

from alerts import Alert, Channel, Event, Status
from dashboard.step_words import end_words, event_words, try_words

State = Literal["past", "missed", "future", "present", "waiting", "reached", "failed"]

# Tries before these are only counted.
MOST_PAST_TRIES = 4


@dataclass(frozen=True, slots=True)
class Step:
    """One dot: its words, and how many seconds after the alert was written (None: not known)."""

    state: State
    words: str
    seconds: float | None = None


def steps_ahead(channel: Channel, *, acknowledge: bool) -> list[Step]:
    """What will happen to an alert that nobody has sent yet."""
    return [Step("future", words) for _, words in _expected(channel, acknowledge=acknowledge)]


def steps_of(alert: Alert) -> list[Step]:
    """The whole line: a try that reached nobody as one step, the present one step by step."""
    written, *told = _told(alert)
    present = [event for event in told if _is_present(event, alert)]
    past = [event for event in told if not _is_present(event, alert)]
    *before, last = [
        _step(alert, written),
        *_past_tries(alert, past),
        *_present_try(alert, present),
    ]
    return [*before, replace(last, state=_state(alert, (present or [written])[-1])), *_ahead(alert)]


def tone(alert: Alert) -> State:
    """The colour of where an alert stands; it is always beside a word."""
    if not alert.status.final:
        return "present"
    if alert.reached:
        return "reached"
    return "failed" if alert.status in {Status.FAILED, Status.UNANSWERED} else "waiting"


def _expected(channel: Channel, *, acknowledge: bool) -> tuple[tuple[Status, str], ...]:
    """What is expected to happen, in order; an alert's own events replace these words."""
    if channel == "text":
        return (
            (Status.QUEUED, "Written and checked"),
            (Status.SENDING, "On its way to Twilio"),
            (Status.PLACED, "Twilio has it"),
            (Status.DELIVERED, "Delivered"),
        )
    return (
        (Status.QUEUED, "Written and checked"),
        (Status.SENDING, "Stored where Twilio reads it"),
        (Status.PLACED, "Twilio has it"),
        (Status.RINGING, "Ringing"),
        (Status.ANSWERED, "Answered"),
        (Status.ACKNOWLEDGED, "They press 1")
        if acknowledge
        else (Status.COMPLETED, "The call is over"),
    )


def _told(alert: Alert) -> list[Event]:
    """The events worth a step: news, and asides such as what is being waited for."""
    told = [event for event in alert.events if event.news or _is_aside(event)]
    if alert.status.final:
        while not told[-1].news:
            told.pop()  # after the end
    return told


def _is_aside(event: Event) -> bool:
    return event.status is None and event.source in {"callboard", "recipient"}


def _is_present(event: Event, alert: Alert) -> bool:
    """Whether it is about the present try, or about the whole alert as a key press always is."""
    is_about_all = event.status is Status.ACKNOWLEDGED or event.canceling
    return event.try_number == alert.try_number or is_about_all


def _past_tries(alert: Alert, told: Sequence[Event]) -> list[Step]:
    ends = {event.try_number: event for event in told if event.status and event.status.final}
    machines = {event.try_number for event in told if _is_of_machine(event)}
    steps = [
        replace(
            _step(alert, end),
            state="missed",
            words=f"Try {number}: {end_words(alert, end, by_machine=number in machines)}",
        )
        for number, end in sorted(ends.items())
    ]
    more = len(steps) - MOST_PAST_TRIES
    if more <= 1:
        return steps
    return [Step("missed", f"{more} tries before reached nobody"), *steps[more:]]


def _present_try(alert: Alert, told: Sequence[Event]) -> list[Step]:
    if alert.try_number == 1:
        return _own_steps(alert, told)
    begun = next((event for event in told if _is_own(event, alert)), None)
    notes = list(takewhile(lambda event: event is not begun, told))
    waiting = [event for event in notes if event.status is None and not event.canceling]
    steps = _own_steps(alert, [event for event in told if event not in waiting])
    # One step for its beginning: what it waited for, as long as it does, and then which try it is.
    if begun is not None:
        return [replace(_step(alert, begun), words=try_words(alert)), *steps]
    if alert.status.final:
        return steps
    return [_step(alert, waiting[-1]) if waiting else Step("past", try_words(alert)), *steps]


def _own_steps(alert: Alert, told: Sequence[Event]) -> list[Step]:
    expected = _expected(alert.channel, acknowledge=alert.request.acknowledge)
    order, reached = [status for status, _ in expected], 0
    steps: list[Step] = []
    for event in told:
        if event.status in order and _is_own(event, alert):
            position = order.index(event.status)
            if position <= reached:
                continue  # overtaken
            # What nobody told must have happened in between.
            steps += [Step("past", words) for _, words in expected[reached + 1 : position]]
            reached = position
        steps.append(_step(alert, event))
    return steps


def _is_own(event: Event, alert: Alert) -> bool:
    """Whether it says where the present try stands."""
    return event.status is not None and event.try_number == alert.try_number


def _ahead(alert: Alert) -> list[Step]:
    if alert.status.final:
        return []
    expected = _expected(alert.channel, acknowledge=alert.request.acknowledge)
    reached = [status for status, _ in expected].index(alert.status)
    return [Step("future", words) for _, words in expected[reached + 1 :]]


def _step(alert: Alert, event: Event) -> Step:
    seconds = (event.at - alert.events[0].at).total_seconds()
    return Step("past", event_words(alert, event), seconds)


def _state(alert: Alert, event: Event) -> State:
    """How the last step glows, that of `event`."""
    if alert.status.final:
        return tone(alert)
    waits = event.status is None and event.source in {"callboard", "sender"}
    return "waiting" if waits else "present"


def _is_of_machine(event: Event) -> bool:
    return (event.answered_by or "").startswith("machine")
