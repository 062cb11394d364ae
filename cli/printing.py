"""Printing an alert at the shell: its events and its status."""

from __future__ import annotations

import json
import sys

from alerts import Alert
from alerts.alert import tries_of
from alerts.log_lines import on_one_line
from alerts.message.compose import said
from alerts.time_zones import in_time_zone

MOST_QUOTED = 60  # characters


def cannot_be_ended(alert: Alert) -> bool:
    """Whether the alert was canceled but Twilio couldn't be asked to end its call."""
    return alert.canceling and alert.trouble is not None


def is_well(alert: Alert) -> bool:
    """Whether Twilio has accepted the alert, or nothing keeps it from doing so."""
    return alert.status not in {"failed", "unknown"} and not is_in_trouble(alert)


def is_in_trouble(alert: Alert) -> bool:
    """Whether Twilio doesn't have the alert yet because its last event was an error."""
    return alert.sid is None and alert.trouble is not None


def print_story(alert: Alert, as_json: bool) -> None:
    """Print what was sent, to which number and when, each event and the outcome; or JSON."""
    if not as_json:
        sent = in_time_zone(alert.events[0].at, alert.request.time_zone)
        print(
            f"{alert.channel.capitalize()} to {alert.request.to}, {sent:%Y-%m-%d %H:%M %Z}: "
            f"{said(alert)}"
        )
    print_new_events(alert, 0, as_json)
    print_outcome(alert, as_json)


def print_new_events(alert: Alert, printed: int, as_json: bool) -> int:
    """Print all events after the first `printed`; returns how many have been printed then."""
    tries = tries_of(alert.request)
    for number, event in enumerate(alert.events[printed:] if not as_json else (), start=printed):
        if not event.news and _was_told(alert, number):
            continue
        if event.status == "sending" and event.try_number > 1:
            this = tries[event.try_number - 1]
            print(f"Try {event.try_number} of {len(tries)}: a {this.channel} to {this.dialed}")
        since = (event.at - alert.events[0].at).total_seconds()
        word = event.status.value if event.status and event.news else ""
        print(f"{since:6.2f} s  {word:<12} {event.note}", flush=True)
        if event.error and event.status is None:  # why an alert failed is printed at the end
            print(f"{'':22}{event.error.message}", flush=True)
    return len(alert.events)


def _was_told(alert: Alert, number: int) -> bool:
    """Whether an earlier event said the same: Twilio reports some things twice."""
    event = alert.events[number]
    told = {(each.try_number, each.note) for each in alert.events[:number]}
    return (event.try_number, event.note) in told


def print_outcome(alert: Alert, as_json: bool) -> None:
    """Print the alert's status and what is wrong with it; or one JSON object."""
    if as_json:
        print(json.dumps(alert.as_json()))
        return
    ending = ""
    if alert.canceling and not alert.status.final:
        ending = ", and will be ended"
        if alert.channel == "text" and alert.sid:
            ending = ": Twilio has it, and a text can't be called back. Nothing more is sent"
    print(f"Alert {alert.id} is {alert.status.value}{ending}.")
    error = alert.error
    if cannot_be_ended(alert):
        error = alert.trouble
        print("It goes on until the app or a worker can end it.", file=sys.stderr)
    elif is_in_trouble(alert):
        # Leave out the hint, which would be to send it again: that would be a second alert.
        print("It is saved, and goes on as soon as the app or a worker runs.", file=sys.stderr)
    if error:
        print(error, file=sys.stderr)


def as_given(given: str) -> str:
    """Return a name or an id, as it was given, for a sentence: on one line and shortened."""
    words = on_one_line(given)
    return words if len(words) <= MOST_QUOTED else f"{words[: MOST_QUOTED - 1]}…"
