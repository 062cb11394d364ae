"""`python -m alerts status ID`: show where an alert stands, or every alert of a broadcast."""

from __future__ import annotations

import argparse
from typing import Any

from alerts import Alert, Desk, UnusableInput
from alerts.broadcast import Broadcast
from cli import ACCEPTED, FAILED
from cli.many import print_broadcast
from cli.printing import as_given, is_well, print_story
from settings import Settings


def add_to(commands: Any) -> None:
    """Add the command to argparse's subparsers."""
    command = commands.add_parser("status", help="show where an alert or a broadcast stands")
    add_id(command)
    command.set_defaults(run=run)


def add_id(command: argparse.ArgumentParser) -> None:
    """Add the arguments that `status` and `cancel` share: the alert's id, and --json."""
    command.add_argument("id", help="the id of an alert or a broadcast, as it was printed")
    command.add_argument("--json", action="store_true", help="print a JSON object for each alert")


async def run(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print the alert or the broadcast; returns the exit status."""
    async with Desk.from_settings(settings, mode="observer") as desk:
        alert, broadcast = await desk.status(chosen.id), await desk.broadcast_of(chosen.id)
    alerts = print_found(alert, broadcast, chosen)
    return ACCEPTED if all(map(is_well, alerts)) else FAILED


def print_found(
    alert: Alert | None,
    broadcast: tuple[Broadcast, list[Alert]] | None,
    chosen: argparse.Namespace,
) -> list[Alert]:
    """Print the alert and the broadcast that have the id, and return all their alerts.

    Earlier versions let both have the same. Raises `UnusableInput` if nothing has it.
    """
    if alert is not None or broadcast is None:
        alert = known(alert, chosen.id)
        print_story(alert, chosen.json)
    if broadcast is not None:
        print_broadcast(*broadcast, chosen.json)
    return [*([alert] if alert else []), *(broadcast[1] if broadcast else [])]


def known(alert: Alert | None, alert_id: str) -> Alert:
    """Return the alert. Raises `UnusableInput` if it is None: nothing has this id."""
    if alert is None:
        if not alert_id.strip():
            raise UnusableInput("id", "Give the id of an alert or a broadcast, as it was printed.")
        raise UnusableInput("id", f"No alert or broadcast has the id {as_given(alert_id)}.")
    return alert
