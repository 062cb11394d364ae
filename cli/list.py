"""`python -m alerts list`: what was sent, newest first."""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from alerts import Alert, Desk, UnusableInput
from alerts.filters import Filters, Kind, number_in, with_text
from alerts.phone_numbers import Regions, international
from alerts.time_zones import find_zone, in_time_zone
from cli import ACCEPTED
from settings import Settings

DEFAULT_LIMIT = 20
PAGE_ROWS = 200
MOST_CHARACTERS = 60
KINDS = {each.value.replace(" ", "-"): each for each in Kind}
AGO = re.compile(r"(\d{1,6})\s*(m|h|d|w)")
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
SINCE = "Give --since as 2026-11-20, '2026-11-20 09:30', 30m, 12h, 7d, 2w or today."


def add_to(commands: Any) -> None:
    """Add the command to argparse's subparsers."""
    command = commands.add_parser("list", help="list what was sent, newest first")
    command.add_argument("--since", default="", metavar="WHEN", help="such as today, 7d or a date")
    command.add_argument("--status", default="", choices=["", *KINDS], metavar="STATUS",
                         help=f"one of {', '.join(KINDS)}")  # fmt: skip
    command.add_argument("--to", default="", metavar="WHOM", help="a number, or a name")
    command.add_argument("--text", default="", metavar="WORDS", help="words, a name or a SID")
    command.add_argument("--by", default=None, metavar="SENDER", help="who sent it")
    command.add_argument("--channel", choices=["call", "text"], help="only calls or only texts")
    command.add_argument(
        "--limit", type=int, default=DEFAULT_LIMIT, help="how many at most (default: %(default)s)"
    )
    command.add_argument("--json", action="store_true", help="print one JSON object a line")
    command.set_defaults(run=run)


async def run(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print the alerts, newest first; returns the exit status."""
    if chosen.limit < 1:
        raise UnusableInput("limit", "Give --limit a whole number from 1 on.")
    async with Desk.from_settings(settings, mode="observer") as desk:
        zone = desk.services.time_zone
        filters = filters_in(chosen, desk.services.regions, zone)
        history = await desk.history()
        left, before = chosen.limit, None
        while left:
            page = await history.search(filters, before=before, limit=min(left, PAGE_ROWS))
            for row in page.rows:
                if row.alert is not None:
                    print(json.dumps(row.alert.as_json()) if chosen.json else line(row.alert, zone))
            left -= len(page.rows)
            if not page.has_older:
                break
            before = page.rows[-1].position
        if left == chosen.limit and not chosen.json:
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


def moment_in(text: str, zone: str) -> datetime:
    """Return the moment that --since names, in the time zone. Raises `UnusableInput`."""
    text, now = text.strip(), datetime.now(UTC)
    there = in_time_zone(now, zone)
    if text == "today":
        return there.replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        if ago := AGO.fullmatch(text):
            return now - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        given = datetime.fromisoformat(text)
        # Positions in the history begin in 1970.
        if not 1970 < given.year < 9999:
            raise ValueError(text)
    except (ValueError, OverflowError):
        raise UnusableInput("since", SINCE) from None
    if given.tzinfo:
        return given
    return given.replace(tzinfo=find_zone(zone) or there.tzinfo)


def line(alert: Alert, zone: str) -> str:
    """Return an alert in one line: its id, when it was saved, what became of it, and the words."""
    saved = in_time_zone(alert.events[0].at, zone)
    name = f"{alert.request.name}, " if alert.request.name else ""
    words = " ".join(alert.message.split())
    if len(words) > MOST_CHARACTERS:
        words = f"{words[: MOST_CHARACTERS - 1]}…"
    return (
        f"{alert.id:<16}  {saved:%Y-%m-%d %H:%M}  {alert.channel}  {alert.status.value:<12}  "
        f"{name}{international(alert.to)}: {words}"
    )
