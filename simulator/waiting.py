"""Waiting for one of two things."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

from simulator.clock import Clock


async def happens(event: asyncio.Event, clock: Clock, seconds: float) -> bool:
    """Wait for `event`, at most this many simulated seconds: whether it came."""
    try:
        async with clock.limit(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


async def unless(event: asyncio.Event, work: Coroutine[object, object, object]) -> bool:
    """Do `work`, but give it up when `event` comes: whether it was done. Raises what it raises."""
    working = asyncio.create_task(work)
    waiting = asyncio.create_task(event.wait())
    try:
        await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            return False
        working.result()
        return True
    finally:
        working.cancel()
        waiting.cancel()
        # Given up means over: nothing of it may happen later.
        await asyncio.wait({working, waiting})
