"""`python -m alerts list`: what was sent, newest first."""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from alerts import Alert, Desk, UnusableInput
from alerts.filters import Filters, Kind, number_in, with_text
from alerts.message.compose import said
from alerts.phone_numbers import Regions, international
from alerts.time_zones import in_time_zone
from cli import ACCEPTED
from cli.newest_first import (
    add_limit_and_json,
    add_since,
    check_limit,
    moment_in,
    newest_first,
)
from settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alerts.filters import ListRow

MOST_CHARACTERS = 60
KINDS = {each.value.replace(" ", "-"): each for each in Kind}


def add_to(commands: Any) -> None:
    """Add the command to argparse's subparsers."""
    command = commands.add_parser("list", help="list what was sent, newest first")
    add_since(command)
    command.add_argument("--status", default="", choices=["", *KINDS], metavar="STATUS",
                         help=f"one of {', '.join(KINDS)}")  # fmt: skip
    command.add_argument("--to", default="", metavar="WHOM", help="a number, or a name")
    command.add_argument("--text", default="", metavar="WORDS", help="words, a name or a SID")
    command.add_argument("--by", default=None, metavar="SENDER", help="who sent it")
    command.add_argument("--channel", choices=["call", "text"], help="only calls or only texts")
    add_limit_and_json(command)
    command.set_defaults(run=run)


async def run(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print the alerts, newest first; returns the exit status."""
    check_limit(chosen.limit)
    async with Desk.from_settings(settings, mode="observer") as desk:
        zone = desk.services.time_zone
        filters = filters_in(chosen, desk.services.regions, zone)
        history = await desk.history()

        async def read(last: ListRow | None, most: int) -> tuple[Sequence[ListRow], bool]:
            before = last.position if last else None
            page = await history.search(filters, before=before, limit=most)
            return page.rows, page.has_older

        found = False
        async for row in newest_first(chosen.limit, read):
            found = True
            if row.alert is not None:
                print(json.dumps(row.alert.as_json()) if chosen.json else line(row.alert, zone))
        if not found and not chosen.json:
            print("No alert matches.", file=sys.stderr)
    return ACCEPTED


def filters_in(chosen: argparse.Namespace, regions: Regions, zone: str) -> Filters:
    """Return what the options ask for. Raises `UnusableInput`."""
    filters = Filters(
        since=moment_in(chosen.since, zone) if chosen.since else None,
        kind=KINDS.get(chosen.status),
        channel=chosen.channel,
        sender=chosen.by,
        singly=True,
    )
    filters = with_text(filters, chosen.text, regions)
    if not chosen.to:
        return filters
    if number := number_in(chosen.to, regions):
        return replace(filters, number=number)
    if not re.search(r"\w", chosen.to):
        raise UnusableInput("to", "Give --to a phone number or a name.")
    return replace(filters, person=chosen.to)


def line(alert: Alert, zone: str) -> str:
    """Return an alert in one line: its id, when it was saved, its outcome, and the words."""
    saved = in_time_zone(alert.events[0].at, zone)
    name = f"{alert.request.name}, " if alert.request.name else ""
    words = " ".join(said(alert).split())
    if len(words) > MOST_CHARACTERS:
        words = f"{words[: MOST_CHARACTERS - 1]}…"
    return (
        f"{alert.id:<16}  {saved:%Y-%m-%d %H:%M}  {alert.channel}  {alert.status.value:<12}  "
        f"{name}{international(alert.to)}: {words}"
    )
