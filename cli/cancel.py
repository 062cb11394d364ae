"""`python -m alerts cancel ID`: stop an alert and end its call."""

from __future__ import annotations

import argparse
from typing import Any

from alerts import Desk
from alerts.services import login_name
from cli import ACCEPTED, FAILED
from cli.printing import cannot_be_ended, print_story
from cli.status import add_id, known
from settings import Settings


def add_to(commands: Any) -> None:
    """Add the command to argparse's subparsers."""
    command = commands.add_parser("cancel", help="stop an alert and end its call")
    add_id(command)
    command.set_defaults(run=run)


async def run(settings: Settings, chosen: argparse.Namespace) -> int:
    """Cancel the alert and print it; returns the exit status."""
    async with Desk.from_settings(settings, mode="observer") as desk:
        alert = known(await desk.cancel(chosen.id, by=login_name()), chosen.id)
    print_story(alert, chosen.json)
    return FAILED if cannot_be_ended(alert) else ACCEPTED
