"""`python -m alerts worker`: deliver alerts and check rules until stopped, with no page open.

A server of Shiny apps may stop an app that has no visitors; a worker goes on delivering.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from typing import Any

from access.changed_settings import record_changed_settings
from alerts import Desk
from cli import ACCEPTED, FAILED
from rules.opening import OpenRules
from settings import Settings, SettingsError


def add_to(commands: Any) -> None:
    """Add the command to argparse's subparsers."""
    command = commands.add_parser(
        "worker", help="deliver alerts and check rules until stopped, with no page open"
    )
    command.set_defaults(run=run)


async def run(settings: Settings, _: argparse.Namespace) -> int:
    """Deliver and check rules until SIGTERM or Ctrl-C; returns the exit status.

    It also ends, with FAILED, once a newer version of Callboard has changed the tables. Raises
    `SettingsError` in a simulation, and `DatabaseError`.
    """
    if settings.simulated:
        raise SettingsError(
            "TWILIO_ACCOUNT_SID is not set, and a simulation delivers by itself: a worker is for "
            "a Twilio account."
        )
    stopped = asyncio.Event()
    for reason in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(reason, stopped.set)
    async with Desk.from_settings(settings, mode="worker") as desk:
        await desk.open()
        await record_changed_settings(await desk.database(), settings, "worker", desk.actor)
        print(
            "Delivering. Stop with Ctrl-C: what is under way goes on at the next start.", flush=True
        )
        rules = OpenRules(settings, desk)
        checking = asyncio.create_task(rules.check(), name="checking rules")
        is_told = asyncio.create_task(stopped.wait())
        is_outdated = asyncio.create_task(desk.until_newer_version())
        try:
            await asyncio.wait({is_told, is_outdated}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in (checking, is_told, is_outdated):
                each.cancel()
            # Let a check end before the database that it writes to is closed.
            await asyncio.gather(checking, return_exceptions=True)
            await rules.close()
    return ACCEPTED if stopped.is_set() else FAILED
