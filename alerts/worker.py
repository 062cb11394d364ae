"""`python -m alerts worker`: delivering without any page open.

A server of Shiny apps may end one that nobody looks at; what was written down is delivered here.
"""

from __future__ import annotations

import asyncio
import signal

from alerts.desk import Desk
from settings import Settings, SettingsError


async def work(settings: Settings) -> None:
    """Deliver until this process is asked to stop (SIGTERM, or Ctrl-C).

    Raises `SettingsError` in a simulation, and `DatabaseError`.
    """
    if settings.simulated:
        raise SettingsError(
            "TWILIO_ACCOUNT_SID is not set, and a simulation delivers by itself: a worker is for "
            "a Twilio account."
        )
    stopped = asyncio.Event()
    for reason in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(reason, stopped.set)
    async with Desk.from_settings(settings, role="worker") as desk:
        await desk.open()
        print("Delivering. Stop with Ctrl-C: what is under way goes on at the next start.")
        await stopped.wait()
