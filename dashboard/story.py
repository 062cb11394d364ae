"""The story of an alert as a line of dots: what happened, what is happening, what will."""

from __future__ import annotations

from htmltools import Tag, TagList, tags

from alerts import Alert, Channel, Event, Problem, Status
from alerts.numbers import international

# What is expected to happen, in order; an alert's own events replace these words.
EXPECTED: dict[Channel, tuple[tuple[Status, str], ...]] = {
    "call": (
        (Status.QUEUED, "Written and checked"),
        (Status.SENDING, "Stored where Twilio reads it"),
        (Status.PLACED, "Twilio has it"),
        (Status.RINGING, "Ringing"),
        (Status.ANSWERED, "Answered"),
        (Status.COMPLETED, "The call is over"),
    ),
    "text": (
        (Status.QUEUED, "Written and checked"),
        (Status.SENDING, "On its way to Twilio"),
        (Status.PLACED, "Twilio has it"),
        (Status.DELIVERED, "Delivered"),
    ),
}
# The colour of a status; each stands beside its word.
TONES = {
    Status.COMPLETED: "reached",
    Status.ACKNOWLEDGED: "reached",
    Status.DELIVERED: "reached",
    Status.FAILED: "failed",
    Status.UNANSWERED: "failed",
    Status.CANCELED: "waiting",
    Status.VOICEMAIL: "waiting",
    Status.UNKNOWN: "waiting",
}


def story(channel: Channel, alert: Alert | None) -> Tag:
    """The line of dots for `alert`, or what it will look like while there is none."""
    heading = "This call" if channel == "call" else "This text"
    pill = (
        tags.span(alert.status.value, class_=f"pill {tone(alert.status)}")
        if alert
        else tags.span("Nothing sent yet", class_="nothing-yet")
    )
    return tags.div(
        tags.div(tags.h2(heading), pill, class_="card-heading"),
        tags.ol(_steps(channel, alert), class_="story"),
        _explanation(alert.error) if alert and alert.error else None,
        class_="story-card",
    )


def tone(status: Status) -> str:
    """The name of the colour that goes with a status."""
    return TONES.get(status, "present")


def _steps(channel: Channel, alert: Alert | None) -> TagList:
    if alert is None:
        return TagList(*(_step("future", words) for _, words in EXPECTED[channel]))
    told = {event.status: event for event in alert.events}
    last = alert.events[-1]
    steps = TagList()
    for status, words in EXPECTED[channel]:
        if status in told:
            event = told.pop(status)
            steps.append(_told(event, alert, present=event is last))
        elif alert.status.final and not alert.status.reached:
            continue  # it will never happen
        else:
            skipped = alert.status.final
            steps.append(_step("past" if skipped else "future", words))
    steps.extend(_told(event, alert, present=True) for event in told.values())
    return steps


def _told(event: Event, alert: Alert, *, present: bool) -> Tag:
    state = tone(event.status) if present else "past"
    note = event.note
    if event.status is Status.RINGING:
        note = f"Ringing {international(alert.to)}"
    seconds = (event.at - alert.events[0].at).total_seconds()
    return _step(state, note, f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s")


def _step(state: str, words: str, time: str = "") -> Tag:
    present = state not in {"past", "future"}
    return tags.li(
        tags.span(words, class_="words"),
        tags.span(time, class_="time"),
        class_=state,
        aria_current="step" if present else None,
    )


def _explanation(error: Problem) -> Tag:
    if error.code is None:
        return tags.div(tags.p(error.message), tags.p(error.hint), class_="explanation")
    # Our words before Twilio's: they say what to do.
    twilios = f"Twilio error {error.code}: {error.message}"
    return tags.div(tags.p(error.hint), tags.p(twilios, class_="code"), class_="explanation")
