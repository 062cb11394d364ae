"""`python -m alerts audit`: who did what, newest first."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from access.audit_entry import AuditEntry
from alerts import Desk, UnusableInput
from alerts.time_zones import in_time_zone
from cli import ACCEPTED
from cli.list import DEFAULT_LIMIT, PAGE_ROWS, moment_in
from settings import Settings

if TYPE_CHECKING:
    from access.audit import AuditFilters


def add_to(commands: Any) -> None:
    """Add the command to argparse's subparsers."""
    command = commands.add_parser("audit", help="list who did what, newest first")
    command.add_argument("--since", default="", metavar="WHEN", help="such as today, 7d or a date")
    command.add_argument("--by", default="", metavar="WHO", help="who did it")
    command.add_argument("--text", default="", metavar="WORDS", help="part of a name or an id")
    command.add_argument(
        "--limit", type=int, default=DEFAULT_LIMIT, help="how many at most (default: %(default)s)"
    )
    command.add_argument("--json", action="store_true", help="print one JSON object a line")
    command.set_defaults(run=run)


async def run(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print the entries of the audit trail, newest first; returns the exit status."""
    if chosen.limit < 1:
        raise UnusableInput("limit", "Give --limit a whole number from 1 on.")
    async with Desk.from_settings(settings, mode="observer") as desk:
        zone = desk.services.time_zone
        filters, audit = _filters_in(chosen, zone), await desk.audit()
        left, before = chosen.limit, ""
        while left:
            page = await audit.page(filters, before=before, limit=min(left, PAGE_ROWS))
            for entry in page.entries:
                print(json.dumps(as_json(entry)) if chosen.json else line(entry, zone))
            left -= len(page.entries)
            if not page.has_older:
                break
            before = page.entries[-1].id
        if left == chosen.limit and not chosen.json:
            print("Nobody did anything that matches.", file=sys.stderr)
    return ACCEPTED


def _filters_in(chosen: argparse.Namespace, zone: str) -> AuditFilters:
    """Return what the options ask for. Raises `UnusableInput`."""
    from access.audit import AuditFilters  # noqa: PLC0415 - needs SQLAlchemy

    since = moment_in(chosen.since, zone) if chosen.since else None
    return AuditFilters(chosen.by, text=chosen.text, since=since)


def line(entry: AuditEntry, zone: str) -> str:
    """Return an entry in one line: when, who, where and what."""
    at = in_time_zone(entry.at, zone)
    more = f" ({entry.more_words})" if entry.more_words else ""
    return f"{at:%Y-%m-%d %H:%M:%S}  {entry.actor:<20} {entry.place:<6} {entry.words}{more}"


def as_json(entry: AuditEntry) -> dict[str, object]:
    """Return an entry for programs; times are in UTC (ISO 8601)."""
    return {
        "id": entry.id,
        "at": entry.at.isoformat(),
        "by": entry.actor,
        "where": entry.place,
        "action": entry.action.name.lower(),
        "kind": entry.kind.name.lower(),
        "about_id": entry.about_id,
        "about": entry.about,
        "details": dict(entry.details),
        "message": entry.words,
    }
