"""Waiting for a condition. In a file of its own because tests of the database need no desks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import httpx


async def until(is_so: Callable[[], object]) -> None:
    """Wait until a condition holds, for 10 seconds at most."""
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def becomes_healthy(ask: Callable[[], httpx.Response]) -> bool:
    """Whether an app says within a minute that it is well.

    On a busy machine a look at the database may take longer than `/healthz` waits for it.
    """
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        if ask().json() == {"status": "ok"}:
            return True
        time.sleep(0.1)
    return False
