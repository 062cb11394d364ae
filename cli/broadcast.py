"""`python -m alerts broadcast FILE.csv --to COLUMN MESSAGE`: an alert for each row of a file."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from alerts import AlertRequest, Desk, UnusableInput
from alerts.broadcast import UnusableRequest
from alerts.message.compose import write_message
from alerts.phone_numbers import international
from alerts.services import Mode
from cli import ACCEPTED
from cli.many import add_safeguards, said_before, send_many
from cli.send import add_message, add_retries, add_speech, request_in, say_if_simulated
from people.broadcasts import RowRequests, requests_from
from people.names import number_of_people
from people.sheet import Sheet, read_sheet
from settings import Settings


def add_to(commands: Any) -> None:
    """Add the command to argparse's subparsers."""
    command = commands.add_parser(
        "broadcast", help="call or text a number in each row of a CSV file"
    )
    command.add_argument("file", type=Path, help="a CSV file whose first row names its columns")
    command.add_argument(
        "--to", dest="to_column", required=True, metavar="COLUMN", help="the column with the number"
    )
    command.add_argument(
        "--name",
        dest="name_column",
        default="",
        metavar="COLUMN",
        help="the column with the name (default: the one called Name, if there is one)",
    )
    command.add_argument(
        "--text", dest="is_text", action="store_true", help="text them instead of calling"
    )
    command.add_argument(
        "--dry-run", action="store_true", help="send nothing; print each row's number and words"
    )
    add_message(command)
    add_safeguards(command)
    add_speech(command)
    add_retries(command)
    command.set_defaults(run=run)


async def run(settings: Settings, chosen: argparse.Namespace) -> int:
    """Send to every row, or only say what would be sent; returns the exit status."""
    # Reading a large file takes seconds, and there is nothing to do before.
    sheet = await asyncio.to_thread(_read, chosen.file)
    mode: Mode = "observer" if chosen.dry_run else "app"
    async with Desk.from_settings(settings, mode=mode) as desk:
        say_if_simulated(settings, chosen)
        request = request_in(chosen)
        found = requests_from(
            sheet, request, desk.services.regions, chosen.to_column, chosen.name_column
        )
        for note in found.notes:
            print(note, file=sys.stderr)
        try:
            if chosen.dry_run:
                return await _dry_run(desk, found, chosen)
            return await send_many(desk, found.requests, chosen)
        except UnusableRequest as problem:
            raise found.of_row(problem) from None


def _read(file: Path) -> Sheet:
    try:
        content = file.read_bytes()
    except OSError as problem:
        raise UnusableInput("file", f"{file} can't be read: {problem.strerror}.") from None
    return read_sheet(content)


async def _dry_run(desk: Desk, found: RowRequests, chosen: argparse.Namespace) -> int:
    """Print what each row would be sent. Raises what sending would."""
    for place, request in enumerate(found.requests):
        try:
            desk.check(request)
        except UnusableInput as problem:
            raise UnusableRequest(place, request, problem) from None
    for row, request in zip(found.rows, found.requests, strict=True):
        _print_row(row, request, chosen.json)
    if chosen.json:
        return ACCEPTED
    people, most = len(found.requests), desk.services.max_recipients
    verb = "texted" if chosen.is_text else "called"
    print(f"Nothing was sent. {number_of_people(people)} would be {verb}.")
    if people > most:
        print(f"MAX_RECIPIENTS is {most:,}: add --yes to send it.")
    if before := await desk.sent_before(found.requests):
        print(said_before(before))
    return ACCEPTED


def _print_row(row: int, request: AlertRequest, as_json: bool) -> None:
    words = write_message(request)
    if as_json:
        shown = {"row": row, "to": request.to, "name": request.name, "message": words}
        print(json.dumps(shown))
    else:
        name = f" {request.name}," if request.name else ""
        print(f"Row {row}:{name} {international(request.to)}: {words}")
