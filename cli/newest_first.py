"""What the commands that list things share: options, and reading page after page, newest first."""

from __future__ import annotations

import argparse
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from alerts import UnusableInput
from alerts.time_zones import midnight, moment_of

DEFAULT_LIMIT = 20
PAGE_ROWS = 200
AGO = re.compile(r"(\d{1,6})\s*(m|h|d|w)")
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
SINCE = "Give --since as 2026-11-20, '2026-11-20 09:30', 30m, 12h, 7d, 2w or today."

Row = TypeVar("Row")


def add_since(command: argparse.ArgumentParser) -> None:
    """Add --since, which `moment_in` reads."""
    command.add_argument("--since", default="", metavar="WHEN", help="such as today, 7d or a date")


def add_limit_and_json(command: argparse.ArgumentParser) -> None:
    """Add --limit, which `check_limit` checks, and --json."""
    command.add_argument(
        "--limit", type=int, default=DEFAULT_LIMIT, help="how many at most (default: %(default)s)"
    )
    command.add_argument("--json", action="store_true", help="print one JSON object a line")


def check_limit(limit: int) -> None:
    """Raise `UnusableInput` unless --limit can be used."""
    if limit < 1:
        raise UnusableInput("limit", "Give --limit a whole number of 1 or more.")


async def newest_first(
    limit: int, read: Callable[[Row | None, int], Awaitable[tuple[Sequence[Row], bool]]]
) -> AsyncIterator[Row]:
    """Yield up to `limit` rows, newest first.

    `read(row, most)` returns up to `most` of the newest rows older than `row` (None: the newest of
    all), and whether there are older ones.
    """
    last: Row | None = None
    while limit:
        rows, has_older = await read(last, min(limit, PAGE_ROWS))
        for row in rows:
            yield row
        limit -= len(rows)
        if not has_older:
            return
        last = rows[-1]


def moment_in(text: str, zone: str) -> datetime:
    """Return the moment that --since names, in the time zone. Raises `UnusableInput`."""
    text, now = text.strip(), datetime.now(UTC)
    if text == "today":
        return midnight(now, zone)
    try:
        if ago := AGO.fullmatch(text):
            return now - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        given = datetime.fromisoformat(text)
        # Positions in the history begin in 1970.
        if not 1970 < given.year < 9999:
            raise ValueError(text)
    except (ValueError, OverflowError):
        raise UnusableInput("since", SINCE) from None
    return given if given.tzinfo else moment_of(given, zone)
