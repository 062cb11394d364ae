"""`python -m alerts status ID`: show where an alert stands."""

from __future__ import annotations

import argparse
from typing import Any

from alerts import Alert, Desk, UnusableInput
from cli import ACCEPTED, FAILED
from cli.printing import is_well, print_story
from settings import Settings


def add_to(commands: Any) -> None:
    """Add the command to argparse's subparsers."""
    command = commands.add_parser("status", help="show where an alert stands")
    add_id(command)
    command.set_defaults(run=run)


def add_id(command: argparse.ArgumentParser) -> None:
    """Add the arguments that `status` and `cancel` share: the alert's id, and --json."""
    command.add_argument("id", help="the alert's id, as `call` and `text` print it")
    command.add_argument("--json", action="store_true", help="print one JSON object")


async def run(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print the alert; returns the exit status."""
    async with Desk.from_settings(settings, mode="observer") as desk:
        alert = known(await desk.status(chosen.id), chosen.id)
    print_story(alert, chosen.json)
    return ACCEPTED if is_well(alert) else FAILED


def known(alert: Alert | None, alert_id: str) -> Alert:
    """Return the alert; raises `UnusableInput` if there was none with this id."""
    if alert is None:
        raise UnusableInput("id", f"No alert has the id {alert_id}.")
    return alert
