"""`python -m alerts cancel ID`: stop an alert and end its call, or stop a whole broadcast."""

from __future__ import annotations

import argparse
from typing import Any

from alerts import Desk
from cli import ACCEPTED, FAILED
from cli.printing import cannot_be_ended
from cli.status import add_id, print_found
from settings import Settings


def add_to(commands: Any) -> None:
    """Add the command to argparse's subparsers."""
    command = commands.add_parser("cancel", help="stop an alert or a broadcast, and end its calls")
    add_id(command)
    command.set_defaults(run=run)


async def run(settings: Settings, chosen: argparse.Namespace) -> int:
    """Cancel the alert or the broadcast and print it; returns the exit status."""
    async with Desk.from_settings(settings, mode="observer") as desk:
        alert, broadcast = await desk.cancel(chosen.id), await desk.cancel_broadcast(chosen.id)
    alerts = print_found(alert, broadcast, chosen)
    return FAILED if any(map(cannot_be_ended, alerts)) else ACCEPTED
