"""Sending to many people at the shell: safeguards against accidents, and printing its progress."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from alerts import Alert, AlertRequest, Desk, UnusableInput
from alerts.alert import tries_of
from alerts.broadcast import Broadcast, Tally, not_reached
from alerts.limits import TooMany
from alerts.message.compose import notes
from alerts.sending_desk import is_answered
from alerts.sent_before import SentBefore
from alerts.time_zones import in_time_zone
from cli import ACCEPTED, FAILED
from cli.printing import is_well
from people.names import number_of_people

MOST_NAMED = 3
MOST_NOTES = 10


def add_safeguards(command: argparse.ArgumentParser) -> None:
    """Add the options of a command that may send to many."""
    command.add_argument(
        "--title", default="", help="of a broadcast (default: the message's first words)"
    )
    command.add_argument(
        "--yes",
        action="store_true",
        help="send to more people than MAX_RECIPIENTS or ALERTS_PER_PERSON_PER_HOUR, or the same "
        "words again within the hour",
    )


async def send_many(
    desk: Desk, requests: Sequence[AlertRequest], chosen: argparse.Namespace
) -> int:
    """Send a broadcast, print what happens to it, and return the exit status.

    With `--wait` it goes on to the end, else until Twilio has accepted all. Raises `UnusableInput`.
    """
    requests = [replace(each, id=None) for each in requests]
    if not chosen.yes:
        await refuse_accidents(desk, requests, chosen.id)
    began = datetime.now(UTC)
    with naming_yes():
        sent = await desk.broadcast(requests, chosen.title, chosen.id, confirmed=chosen.yes)
    if sent.created_at < began:
        print(
            f"Broadcast {sent.id} was sent before: people who are in it aren't told again.",
            file=sys.stderr,
        )
    said = [note for each in requests for note in notes(each, desk.services.regions)]
    for note in list(dict.fromkeys(said))[:MOST_NOTES]:
        print(note, file=sys.stderr)
    if not chosen.json:
        print(f"Broadcast {sent.id} to {number_of_people(len(requests))}: {sent.title}", flush=True)
    alerts = await _followed(desk, sent, chosen)
    _print_end(alerts, sent, chosen)
    if chosen.wait:
        return ACCEPTED if Tally.of(alerts).all_reached else FAILED
    return ACCEPTED if all(map(is_well, alerts)) else FAILED


@contextmanager
def naming_yes() -> Iterator[None]:
    """Add to the sentence about too many alerts an hour how to send them anyway at the shell."""
    try:
        yield
    except TooMany as problem:
        raise UnusableInput(problem.field, f"{problem} Or add --yes if that is right.") from None


async def refuse_accidents(
    desk: Desk, requests: Sequence[AlertRequest], broadcast_id: str | None
) -> None:
    """Raise `UnusableInput` for too many people, and for words that they have just been sent."""
    most = desk.services.max_recipients
    if len(requests) > most:
        raise UnusableInput(
            "phone_number",
            f"That would go to {number_of_people(len(requests))}, and MAX_RECIPIENTS is {most:,}. "
            "Add --yes if that is right.",
        )
    marked = [replace(each, broadcast=broadcast_id or "") for each in requests]
    if before := await desk.sent_before(marked):
        raise UnusableInput("message", f"{said_before(before)} Add --yes to send them again.")


def said_before(before: Sequence[SentBefore]) -> str:
    """Say who was sent these words, and when the last of them was."""
    minutes = int((datetime.now(UTC) - max(each.at for each in before)).total_seconds() // 60)
    when = f"{minutes} minute{'s' * (minutes != 1)} ago" if minutes else "less than a minute ago"
    names = [each.label for each in before]
    more = len(names) - MOST_NAMED
    if more > 0:
        shown = f"{', '.join(names[:MOST_NAMED])} and {more} more"
    else:
        shown = " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
    return f"These words were sent to {shown} {when}."


async def _followed(desk: Desk, sent: Broadcast, chosen: argparse.Namespace) -> list[Alert]:
    """Print each change until the broadcast has ended, or without `--wait` until it is accepted."""
    known: dict[str, Alert] = {}
    async with aclosing(desk.watch_broadcast(sent.id)) as changes:
        async for changed in changes:
            for alert in changed:
                before = known.get(alert.id)
                if not chosen.json:
                    _print_changes(alert, len(before.events) if before else 0, sent)
                known[alert.id] = alert
            if not chosen.wait and all(map(is_answered, known.values())):
                break
    return list(known.values())


def _print_changes(alert: Alert, printed: int, sent: Broadcast) -> None:
    """Print an alert's events after the first `printed`, except that it was saved."""
    for event in alert.events[max(printed, 1) :]:
        if event.news or event.error:
            since = (event.at - sent.created_at).total_seconds()
            word = event.status.value if event.status else ""
            print(f"{since:7.2f} s  {alert.label:<24} {word:<12} {event.note}", flush=True)


def _print_end(alerts: Sequence[Alert], sent: Broadcast, chosen: argparse.Namespace) -> None:
    if chosen.json:
        print_objects(alerts)
        return
    print_summary(sent, alerts)
    further = any(
        not each.status.final and each.try_number < len(tries_of(each.request)) for each in alerts
    )
    if further and not chosen.wait:
        print("Further tries need the app, a worker, or --wait.")


def print_broadcast(sent: Broadcast, alerts: Sequence[Alert], as_json: bool) -> None:
    """Print a broadcast's title, the status of each alert, and a summary; or JSON."""
    if as_json:
        print_objects(alerts)
        return
    at = in_time_zone(sent.created_at, alerts[0].request.time_zone if alerts else "")
    print(f"Broadcast to {number_of_people(len(alerts))}, {at:%Y-%m-%d %H:%M %Z}: {sent.title}")
    for alert in alerts:
        print(f"{alert.label:<24} {alert.status.value:<12} {alert.events[-1].note}")
    print_summary(sent, alerts)


def print_summary(sent: Broadcast, alerts: Sequence[Alert]) -> None:
    """Print how many were reached, and why the others weren't."""
    for alert in not_reached(alerts):
        why = str(alert.error) if alert.error else _last_end(alert)
        print(f"Not reached: {alert.label}: {why}", file=sys.stderr)
    tally = Tally.of(alerts)
    print(f"Broadcast {sent.id}: {tally.headline} ({tally.details}).")


def print_objects(alerts: Iterable[Alert]) -> None:
    """Print each alert as a JSON object in a line of its own."""
    for each in alerts:
        print(json.dumps(each.as_json()))


def _last_end(alert: Alert) -> str:
    """Return the note of the event that ended the last try."""
    ends = [each for each in alert.events if each.status is not None and each.status.final]
    return (ends or alert.events)[-1].note
