"""What Twilio and monitors see of this app: plain HTTP routes beside the pages."""

from __future__ import annotations

import asyncio
import logging

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from alerts import DatabaseError, Desk
from alerts.callbacks import CallbackReceiver, callback_routes
from storage import LocalStorage, twiml_route

log = logging.getLogger(__name__)

# Load balancers ask every few seconds and give up soon.
HEALTH_TIMEOUT_SECONDS = 4.0


def routes(desk: Desk) -> list[BaseRoute]:
    """Callbacks and health; TwiML if documents live here; the simulator if it answers."""
    services = desk.services
    found: list[BaseRoute] = [
        Route("/healthz", Health(desk), methods=["GET"]),
        *callback_routes(CallbackReceiver.of(services), desk.history),
    ]
    if isinstance(services.storage, LocalStorage):
        found.append(twiml_route(services.storage))
    if services.simulator:
        # As a whole app: its routes need its state, its log and its error answers. A Mount would
        # take the prefix off its paths.
        found += [
            Route("/2010-04-01/{path:path}", services.simulator),
            Route("/simulator/{path:path}", services.simulator),
        ]
    return found


class Health:
    """`GET /healthz`: 200 if alerts can be saved, 503 and the word `database` if not."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._checking: asyncio.Task[bool] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        # All that ask meanwhile share one check, so that asking often costs no more.
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._is_well())
        status, code = ("ok", 200) if await asyncio.shield(self._checking) else ("database", 503)
        await JSONResponse({"status": status}, status_code=code)(scope, receive, send)

    async def _is_well(self) -> bool:
        try:
            # The first one may come before the desk is open.
            await self._desk.open()
            async with asyncio.timeout(HEALTH_TIMEOUT_SECONDS):
                await self._desk.check_database()
        except (DatabaseError, TimeoutError) as problem:
            log.warning("Not healthy: %s", str(problem) or "the database doesn't answer.")
            return False
        return True


async def ill_health(_: Request) -> JSONResponse:
    """`GET /healthz` of an app whose settings keep it from starting."""
    return JSONResponse({"status": "settings"}, status_code=503)
