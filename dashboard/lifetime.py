"""Opening the desk soon after the server starts, and closing it when the server stops."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import Lifespan

from alerts import DatabaseError, Desk

log = logging.getLogger(__name__)

# Whoever opens a page first gets it first; alerts that were under way go on without anybody.
SECONDS_BEFORE_OPENING = 2.0
SECONDS_BETWEEN_OPENINGS = 10.0


def with_desk(desk: Desk, lifespan: Lifespan[Any]) -> Lifespan[Any]:
    """The server's `lifespan`, with the desk's inside of it.

    https://www.starlette.io/lifespan/
    """

    @asynccontextmanager
    async def both(app: Any) -> AsyncIterator[Any]:
        async with lifespan(app) as state:
            opening = asyncio.create_task(_open(desk), name="opening the desk")
            try:
                yield state
            finally:
                opening.cancel()
                await desk.close()

    return both


async def _open(desk: Desk) -> None:
    """Open the desk, however long its database stays away: alerts are waiting there."""
    await asyncio.sleep(SECONDS_BEFORE_OPENING)
    while True:
        try:
            return await desk.open()
        except DatabaseError as problem:
            log.warning("%s Trying again every %.0f s.", problem, SECONDS_BETWEEN_OPENINGS)
        await asyncio.sleep(SECONDS_BETWEEN_OPENINGS)
