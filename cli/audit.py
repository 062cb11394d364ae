"""`python -m alerts audit`: who did what, newest first."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from access.audit import AuditFilters
from access.audit_entry import AuditEntry
from alerts import Desk
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


def add_to(commands: Any) -> None:
    """Add the command to argparse's subparsers."""
    command = commands.add_parser("audit", help="list who did what, newest first")
    add_since(command)
    command.add_argument("--by", default="", metavar="WHO", help="who did it")
    command.add_argument("--text", default="", metavar="WORDS", help="part of a name or an id")
    add_limit_and_json(command)
    command.set_defaults(run=run)


async def run(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print the entries of the audit trail, newest first; returns the exit status."""
    check_limit(chosen.limit)
    async with Desk.from_settings(settings, mode="observer") as desk:
        zone = desk.services.time_zone
        filters, audit = _filters_in(chosen, zone), await desk.audit()

        async def read(last: AuditEntry | None, most: int) -> tuple[Sequence[AuditEntry], bool]:
            page = await audit.page(filters, before=last.id if last else "", limit=most)
            return page.entries, page.has_older

        found = False
        async for entry in newest_first(chosen.limit, read):
            found = True
            print(json.dumps(as_json(entry)) if chosen.json else line(entry, zone))
        if not found and not chosen.json:
            print("Nobody did anything that matches.", file=sys.stderr)
    return ACCEPTED


def _filters_in(chosen: argparse.Namespace, zone: str) -> AuditFilters:
    """Return what the options ask for. Raises `UnusableInput`."""
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
