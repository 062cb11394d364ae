"""Opening the desk soon after the server starts, and closing it when the server stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import Lifespan

from alerts import Desk

# Whoever opens a page first gets it first; alerts that were under way go on without anybody.
SECONDS_BEFORE_OPENING = 2.0


def tie_to(desk: Desk, lifespan: Lifespan[Any]) -> Lifespan[Any]:
    """The server's `lifespan`, with the desk's inside of it.

    https://www.starlette.io/lifespan/
    """

    @asynccontextmanager
    async def both(app: Any) -> AsyncIterator[Any]:
        async with lifespan(app) as state:
            opening = asyncio.get_running_loop().call_later(SECONDS_BEFORE_OPENING, desk.warm_up)
            try:
                yield state
            finally:
                opening.cancel()
                await desk.close()

    return both
