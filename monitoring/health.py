"""`GET /healthz`: what is wrong, in a word."""

from __future__ import annotations

import asyncio
import logging

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from alerts import DatabaseError, Desk
from database import NewerDatabase

log = logging.getLogger(__name__)

# Load balancers ask every few seconds and give up soon.
HEALTH_TIMEOUT_SECONDS = 4.0
# With these the process can do nothing, so a load balancer should send visitors elsewhere.
UNUSABLE = {"database", "settings", "version"}


class Health:
    """Answers 200 and `ok` if alerts can be saved and a process delivers them.

    Else the word is `database` (it can't be read and written) or `version` (a newer Callboard has
    changed its tables), both with 503; or `worker` (no process delivers) or `stopped` (everything
    was stopped), with 200, because pages and callbacks work.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._checking: asyncio.Task[str] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        # Requests at the same time share one check, so that asking often costs no more.
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._word())
        await _answer(await asyncio.shield(self._checking))(scope, receive, send)

    async def _word(self) -> str:
        try:
            # The first one may come before the desk is open.
            await self._desk.open()
            async with asyncio.timeout(HEALTH_TIMEOUT_SECONDS):
                await self._desk.check_database()
                if await self._desk.emergency_stop() is not None:
                    return "stopped"
                return "ok" if await self._desk.is_delivered() else "worker"
        except NewerDatabase as problem:
            log.warning("Not healthy: %s", problem)
            return "version"
        except (DatabaseError, TimeoutError) as problem:
            log.warning("Not healthy: %s", str(problem) or "the database doesn't answer.")
            return "database"


async def ill_health(_: Request) -> JSONResponse:
    """`GET /healthz` of an app whose settings keep it from starting."""
    return _answer("settings")


def _answer(word: str) -> JSONResponse:
    return JSONResponse({"status": word}, 503 if word in UNUSABLE else 200)
