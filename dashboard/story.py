"""The story of an alert as a line of dots, and what to do where it ended badly."""

from __future__ import annotations

from collections.abc import Sequence

from htmltools import Tag, tags

from alerts import Alert, Channel, Status
from alerts.alert import tries_of
from dashboard.steps import Step, steps_of, tone

MINUTE, HOUR, DAY = 60, 3600, 86_400


def story_ahead(channel: Channel, steps: Sequence[Step], note: str) -> Tag:
    """What the line will look like, while there is no alert; `note` says why, if anything does."""
    return tags.div(
        tags.div(
            tags.h2(_heading(channel)),
            None if note else tags.span("Nothing sent yet", class_="nothing-yet"),
            class_="card-heading",
        ),
        _line(steps),
        tags.div(tags.p(note), class_="explanation waiting") if note else None,
        class_="story-card",
    )


def story(alert: Alert) -> Tag:
    """The line of dots for `alert`."""
    steps = steps_of(alert)
    several = len(tries_of(alert.request)) > 1
    return tags.div(
        tags.div(
            tags.h2("This alert" if several else _heading(alert.channel)),
            _pill(alert, steps),
            class_="card-heading",
        ),
        _line(steps),
        _explanation(alert),
        class_="story-card",
    )


def told(alert: Alert) -> str:
    """Where the alert stands, for people who hear the page."""
    present = next(step for step in reversed(steps_of(alert)) if step.state != "future")
    return " ".join([f"{present.words}.", *_reasons(alert)])


def _heading(channel: Channel) -> str:
    return "This call" if channel == "call" else "This text"


def _pill(alert: Alert, steps: Sequence[Step]) -> Tag:
    if alert.status.final:
        return tags.span(alert.status.value, class_=f"pill {tone(alert)}")
    waits = any(step.state == "waiting" for step in steps)
    words = "canceling" if alert.canceling else alert.status.value
    return tags.span(words, class_=f"pill {'waiting' if waits or alert.canceling else 'present'}")


def _line(steps: Sequence[Step]) -> Tag:
    return tags.ol(*map(_dot, steps), class_="story")


def _dot(step: Step) -> Tag:
    is_present = step.state not in {"past", "missed", "future"}
    time = "" if step.seconds is None else duration(step.seconds)
    return tags.li(
        tags.span(step.words, class_="words"),
        tags.span(time, class_="time"),
        class_=step.state,
        aria_current="step" if is_present else None,
    )


def duration(seconds: float) -> str:
    """ "0.04 s", "12.3 s", "5 min 12 s", "9 h 14 min" or "2 d 3 h"."""
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < MINUTE:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    if whole < DAY:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE} min"
    return f"{whole // DAY} d {whole % DAY // HOUR} h"


def _explanation(alert: Alert) -> Tag | None:
    reasons = _reasons(alert)
    if not reasons:
        return None
    error = alert.error
    # Our words before Twilio's: they say what to do.
    code = f"Twilio error {error.code}: {error.message}" if error and error.code else None
    return tags.div(
        *map(tags.p, reasons),
        tags.p(code, class_="code") if code else None,
        class_=f"explanation {tone(alert)}",
    )


def _reasons(alert: Alert) -> list[str]:
    """Why it ended so, and what to do, in sentences."""
    error = alert.error
    if alert.status is Status.UNKNOWN:
        again = "ring them twice" if alert.channel == "call" else "reach them twice"
        reasons = [f"It may have been delivered, or not. Sending it again may {again}."]
        return [*reasons, error.message] if error and error.code is None else reasons
    if alert.status.final and error:
        return [error.message, error.hint] if error.code is None else [error.hint]
    if alert.status is Status.COMPLETED and not alert.reached:
        return ["The call was answered, but nobody pressed 1 to confirm it."]
    return []
