"""`python -m alerts cancel ID`: stop an alert and end its call, or stop a whole broadcast."""

from __future__ import annotations

import argparse
from typing import Any

from alerts import Desk
from cli import ACCEPTED, FAILED
from cli.many import print_broadcast
from cli.printing import cannot_be_ended, print_story
from cli.status import add_id, known
from settings import Settings


def add_to(commands: Any) -> None:
    """Add the command to argparse's subparsers."""
    command = commands.add_parser("cancel", help="stop an alert or a broadcast, and end its calls")
    add_id(command)
    command.set_defaults(run=run)


async def run(settings: Settings, chosen: argparse.Namespace) -> int:
    """Cancel the alert or the broadcast and print it; returns the exit status."""
    async with Desk.from_settings(settings, mode="observer") as desk:
        alert = await desk.cancel(chosen.id)
        if alert is None:
            found = await desk.cancel_broadcast(chosen.id)
            if found is not None:
                print_broadcast(*found, chosen.json)
                return FAILED if any(map(cannot_be_ended, found[1])) else ACCEPTED
    alert = known(alert, chosen.id)
    print_story(alert, chosen.json)
    return FAILED if cannot_be_ended(alert) else ACCEPTED
