"""Where an alert stands, at a glance: a shape and a word, a clock time, and a short line of dots.

The same everywhere: beside a person, in a row of a list, at the head of a story.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from htmltools import HTML, Tag, tags

from alerts import Alert, Status
from alerts.alert import Event
from alerts.state import HELD_BACK, when_due
from alerts.time_zones import in_time_zone
from dashboard.timeline import Step, steps_of

Tone = Literal["ring", "good", "wait", "bad", "off"]
MOST_DOTS = 6

# Drawn in a box of 14 by 14. A shape stands beside a word, so screen readers skip it.
DISC = '<circle cx="7" cy="7" r="7" fill="currentcolor"/>'
LINE = 'fill="none" stroke-linecap="round" stroke-linejoin="round"'
SHAPES = {
    "halo": '<circle class="halo" cx="7" cy="7" r="9"/>'
    '<circle cx="7" cy="7" r="5" fill="currentcolor"/>',
    "check": f'{DISC}<path d="m4 7.3 2 2.1 4.2-4.5" {LINE} class="on" stroke-width="1.8"/>',
    "tick": f'<path d="m2.5 7.5 3.1 3.1 6-6.8" {LINE} stroke="currentcolor" stroke-width="1.9"/>',
    "dot": '<circle cx="7" cy="7" r="5.5" fill="currentcolor"/>',
    "half": f'<circle cx="7" cy="7" r="5.8" {LINE} stroke="currentcolor" stroke-width="1.6"/>'
    '<path d="M7 1.2a5.8 5.8 0 0 1 0 11.6z" fill="currentcolor"/>',
    "clock": f'<circle cx="7" cy="7" r="5.8" {LINE} stroke="currentcolor" stroke-width="1.6"/>'
    f'<path d="M7 3.9v3.3l2.1 1.2" {LINE} stroke="currentcolor" stroke-width="1.5"/>',
    "mark": f'{DISC}<path d="M7 3.3v4.3M7 10.4v.1" {LINE} class="on" stroke-width="1.9"/>',
    "question": f'{DISC}<path d="M5 5.4a2 2 0 1 1 2.9 1.7c-.6.4-.9.7-.9 1.3M7 10.7v.1" {LINE} '
    'class="on" stroke-width="1.6"/>',
    "cross": f'{DISC}<path d="m4.6 4.6 4.8 4.8m0-4.8-4.8 4.8" {LINE} class="on" '
    'stroke-width="1.8"/>',
    "dash": f'<circle cx="7" cy="7" r="5.8" {LINE} stroke="currentcolor" stroke-width="1.4"/>'
    f'<path d="M4.4 7h5.2" {LINE} stroke="currentcolor" stroke-width="1.5"/>',
    "ring": f'<circle cx="7" cy="7" r="5.3" {LINE} stroke="currentcolor" stroke-width="1.6"/>',
}
# Twilio's codes whose reason fits into two words. https://www.twilio.com/docs/api/errors
SHORT_REASONS = {
    21211: "Not a working number",
    21217: "Not a working number",
    21610: "Texted STOP",
    21614: "Landline",
    30003: "Phone unreachable",
    30005: "Not a working number",
    30006: "Landline",
    32005: "Not a working number",
}
# How the end of a try begins a sentence about the next one.
MISSED = {
    "The line was busy": "Busy",
    "Nobody answered": "Nobody answered",
    "Voicemail took the call": "Voicemail",
}
ENDS: dict[Status, tuple[str, Tone, str]] = {
    Status.ACKNOWLEDGED: ("check", "good", "Confirmed {at}"),
    Status.COMPLETED: ("dot", "good", "Reached {at}"),
    Status.DELIVERED: ("dot", "good", "Delivered {at}"),
    Status.VOICEMAIL: ("half", "wait", "Voicemail"),
    Status.CANCELED: ("dash", "off", "Canceled"),
    Status.UNKNOWN: ("question", "wait", "Not known whether it was sent"),
}
# Statuses that aren't enough where a key press or a reply was asked for.
HEARD = {Status.COMPLETED: "Answered", Status.DELIVERED: "Delivered"}
UNDER_WAY = {Status.RINGING: "Ringing", Status.ANSWERED: "On the line"}


@dataclass(frozen=True, slots=True)
class Glance:
    """Where something stands: the name of a shape, its color, and the words beside it."""

    shape: str
    tone: Tone
    words: str


def glance(alert: Alert, time_zone: str) -> Glance:
    """Say where an alert stands, with times on the clock of `time_zone` (an IANA name)."""
    if alert.status in HEARD and not alert.reached:
        return Glance("half", "wait", f"{HEARD[alert.status]}, not confirmed")
    if alert.status in ENDS:
        shape, tone, words = ENDS[alert.status]
        if alert.status is Status.UNKNOWN and alert.sid:
            words = "Not known how it ended"
        return Glance(shape, tone, words.format(at=clock(alert.since, time_zone)))
    if alert.status.final:
        return Glance("cross", "bad", _why_not(alert))
    if alert.canceling:
        return Glance("clock", "wait", "Canceling")
    if alert.status is Status.QUEUED:
        return _queued(alert, time_zone)
    return _on_its_way(alert)


def _on_its_way(alert: Alert) -> Glance:
    if alert.reply_until:
        return Glance("clock", "wait", "Delivered, waits for a reply")
    return Glance("halo", "ring", UNDER_WAY.get(alert.status, "Sending"))


def _why_not(alert: Alert) -> str:
    reason = SHORT_REASONS.get(alert.error.code or 0) if alert.error else None
    if reason or alert.status is Status.FAILED:
        return reason or "Failed"
    end = _last_end(alert.events)
    return MISSED.get(end.note, end.note) if end else "Not reached"


def _queued(alert: Alert, time_zone: str) -> Glance:
    due, why = when_due(alert)
    if due <= datetime.now(UTC):
        return Glance("halo", "ring", "Sending")
    at = clock(due, time_zone)
    if why == HELD_BACK:
        return Glance("clock", "wait", f"Can be undone until {clock(due, time_zone, seconds=True)}")
    if "limit" in why:
        return Glance("mark", "wait", f"Held until {at}")
    end = _last_end(alert.events)
    if alert.try_number > 1 and end is not None:
        return Glance("clock", "wait", f"{MISSED.get(end.note, end.note)}, tries again {at}")
    return Glance("clock", "wait", f"Waits until {at}")


def _last_end(events: Sequence[Event]) -> Event | None:
    """Return the last event that ended a try."""
    ends = [each for each in events if each.news and each.status and each.status.final]
    return ends[-1] if ends else None


def clock(moment: datetime, time_zone: str, *, seconds: bool = False) -> str:
    """Return the time on the clock of `time_zone`, with the day unless that is today.

    "10:03"; within a week "Mon 10:03", else "3 Nov 10:03"; with `seconds`, "10:03:12".
    """
    there = in_time_zone(moment, time_zone)
    today = in_time_zone(datetime.now(UTC), time_zone).date()
    time = f"{there:%H:%M:%S}" if seconds else f"{there:%H:%M}"
    days = (today - there.date()).days
    if days == 0:
        return time
    if -7 < days < 7:
        return f"{there:%a} {time}"
    year = "" if there.year == today.year else f" {there.year}"
    return f"{there.day} {there:%b}{year} {time}"


# --- As HTML ------------------------------------------------------------------------------------


def glance_tag(shown: Glance) -> Tag:
    """Return the shape and its words."""
    return tags.span(shape_tag(shown.shape), shown.words, class_=f"cb-status {shown.tone}")


def shape_tag(name: str, tone: str = "") -> HTML:
    """Return one of SHAPES; its color is that of the text around it, or of a `tone`."""
    return HTML(
        f'<svg class="cb-shape {tone}" viewBox="0 0 14 14" aria-hidden="true">{SHAPES[name]}</svg>'
    )


def mini_line(alert: Alert) -> Tag:
    """Return the line of dots in small. The words beside it say the same to screen readers."""
    steps = _most_telling(steps_of(alert))
    states = [str(step.state) for step in steps]
    if alert.status is Status.CANCELED:
        states[-1] = "missed"  # gray, as the dash beside it
    dots = [tags.i(class_=state) for state in states]
    return tags.span(*dots, class_="cb-mini", aria_hidden="true")


def _most_telling(steps: Sequence[Step]) -> Sequence[Step]:
    """Leave out steps that are long past or far ahead, until the line is short enough."""
    kept = list(steps)
    while len(kept) > MOST_DOTS:
        inner = range(1, len(kept) - 1)
        past, ahead, missed = (
            [place for place in inner if kept[place].state == state]
            for state in ("past", "future", "missed")
        )
        del kept[past[-1] if past else (ahead or missed or list(inner))[0]]
    return kept
