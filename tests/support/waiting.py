"""Waiting for a condition. In a file of its own because tests of the database need no desks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(is_so: Callable[[], object]) -> None:
    """Wait until a condition holds, for 10 seconds at most."""
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
