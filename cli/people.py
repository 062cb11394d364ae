"""`python -m alerts people import|export|list`: the people who can be called by name."""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from alerts import Desk, UnusableInput
from alerts.phone_numbers import international
from cli import ACCEPTED, FAILED
from cli.printing import as_given
from people import tables as _people  # noqa: F401 - the desk's database then has to have them
from people.columns import read_mapping
from people.contact import Contact
from people.contacts import Contacts
from people.exporting import write_csv
from people.groups import Groups
from people.importing import Choices, Importer, Plan
from people.listing import Listing, PeopleFilter
from people.names import name_key, number_of_people
from people.sheet import read_sheet
from settings import Settings


def add_to(commands: Any) -> None:
    """Add the command and its own commands to argparse's subparsers."""
    people = commands.add_parser("people", help="import, export and list people")
    actions = people.add_subparsers(dest="action", required=True, metavar="import|export|list")
    importing = actions.add_parser("import", help="add the people in a CSV file or in vCards")
    importing.add_argument("file", type=Path, help="CSV with or without a header, or .vcf")
    importing.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="name=COLUMN",
        help="where a column goes: name, first_name, last_name, number, group, language, "
        "time_zone or notes; can be repeated (default: guessed)",
    )
    importing.add_argument(
        "--group", action="append", default=[], help="put everybody into this group, too"
    )
    importing.add_argument("--dry-run", action="store_true", help="say what it would do")
    exporting = actions.add_parser("export", help="write everybody to CSV, to import again")
    exporting.add_argument(
        "file", type=Path, nargs="?", help="a new file (default: standard output)"
    )
    listing = actions.add_parser("list", help="list people by name")
    listing.add_argument("search", nargs="?", default="", help="part of a name, number or group")
    listing.add_argument("--group", default="", help="only people in this group")
    for command, run in ((importing, _import), (exporting, _export), (listing, _list)):
        command.set_defaults(run=run)
        command.add_argument("--json", action="store_true", help="print JSON")


async def _import(settings: Settings, chosen: argparse.Namespace) -> int:
    """Import a file; returns FAILED if a row was left out because something is wrong with it."""
    sheet = await asyncio.to_thread(read_sheet, _content(chosen.file))
    async with Desk.from_settings(settings, mode="observer") as desk:
        regions = desk.services.regions
        importer = Importer(await desk.database(), regions, sheet)
        mapping = read_mapping(sheet, chosen.map)
        choices = Choices(mapping, regions.default, tuple(chosen.group))
        plan = await (importer.plan(choices) if chosen.dry_run else importer.run(choices))
    if chosen.json:
        print(json.dumps(_as_json(plan, dry_run=chosen.dry_run)))
    else:
        for problem in plan.problems:
            who = problem.name or "no name"
            print(f"Row {problem.row}, {who}: {problem.value} {problem.sentence}".strip())
        print(said(plan, dry_run=chosen.dry_run))
    return FAILED if plan.problems else ACCEPTED


def said(plan: Plan, *, dry_run: bool = False) -> str:
    """Say what an import did, or would do."""
    added, changed = len(plan.added), len(plan.changed)
    parts = [f"{added:,} added", f"{changed:,} changed", f"{plan.unchanged:,} as they were"]
    if plan.problems:
        parts.append(f"{len(plan.problems):,} left out: see above")
    if plan.without_number:
        parts.append(f"{plan.without_number:,} without a number")
    if plan.more_numbers:
        parts.append(f"{plan.more_numbers:,} with more than three numbers, of which three are kept")
    return f"{'Would be: ' if dry_run else ''}{', '.join(parts)}."


async def _export(settings: Settings, chosen: argparse.Namespace) -> int:
    """Write everybody to a file or to standard output."""
    if chosen.file is not None and chosen.file.exists():
        raise UnusableInput("file", f"{chosen.file} exists already. Name another file.")
    found = await _exported(settings, PeopleFilter())
    content = write_csv(found)
    if chosen.file is None:
        # Without the byte order mark for Excel, which a pipe has no use for.
        print(content.decode("utf-8-sig"), end="")
        return ACCEPTED
    try:
        chosen.file.write_bytes(content)
    except OSError as problem:
        raise UnusableInput(
            "file", f"{chosen.file} can't be written: {problem.strerror}."
        ) from None
    count = len(found)
    done = f"Wrote {number_of_people(count)} to {chosen.file}."
    print(json.dumps({"people": count}) if chosen.json else done)
    return ACCEPTED


async def _list(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print a line for each of the people found, or a JSON object."""
    found = await _listed(settings, PeopleFilter(chosen.search, chosen.group))
    for each in found:
        if chosen.json:
            print(json.dumps(asdict(each), ensure_ascii=False))
        else:
            numbers = ", ".join(map(international, each.numbers))
            print(f"{each.name:<24} {numbers:<24} {', '.join(each.groups)}".rstrip())
    if not found and not chosen.json:
        print("No one was found." if chosen.search or chosen.group else "There are no people yet.")
    return ACCEPTED


async def _listed(settings: Settings, wanted: PeopleFilter) -> list[Contact]:
    async with Desk.from_settings(settings, mode="observer") as desk:
        database = await desk.database()
        if wanted.group:
            await _refuse_unknown_group(Groups(database), wanted.group)
        ids = await Listing(database, desk.services.twilio.account_sid).ids(wanted)
        return await Contacts(database, desk.services.regions).get(ids)


async def _refuse_unknown_group(groups: Groups, name: str) -> None:
    known = [each.name for each in await groups.all()]
    if name_key(name) not in map(name_key, known):
        there = f"There are: {', '.join(known)}." if known else "There is none yet."
        raise UnusableInput("group", f"There is no group called {as_given(name)}. {there}")


async def _exported(settings: Settings, wanted: PeopleFilter) -> list[Contact]:
    async with Desk.from_settings(settings, mode="observer") as desk:
        listing = Listing(await desk.database(), desk.services.twilio.account_sid)
        return await listing.export(wanted)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as problem:
        raise UnusableInput("file", f"{file} can't be read: {problem.strerror}.") from None


def _as_json(plan: Plan, *, dry_run: bool) -> dict[str, object]:
    return {
        "dry_run": dry_run,
        "added": len(plan.added),
        "changed": len(plan.changed),
        "unchanged": plan.unchanged,
        "without_number": plan.without_number,
        "left_out": [
            {"row": problem.row, "name": problem.name, "field": problem.field,
             "value": problem.value, "message": problem.sentence}
            for problem in plan.problems
        ],
    }  # fmt: skip
