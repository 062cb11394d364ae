"""What Twilio and monitors see of this app: plain HTTP routes beside the pages."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from alerts import Desk
from storage import LocalStorage, twiml_route


def routes(desk: Desk) -> list[BaseRoute]:
    """The routes for this desk: TwiML if documents live here, the simulator if it answers."""
    found: list[BaseRoute] = [Route("/healthz", health)]
    if isinstance(desk.means.storage, LocalStorage):
        found.append(twiml_route(desk.means.storage))
    if desk.means.simulator:
        # As a whole app: its routes need its state, its log and its error answers. A Mount would
        # take the prefix off its paths.
        found += [
            Route("/2010-04-01/{path:path}", desk.means.simulator),
            Route("/simulator/{path:path}", desk.means.simulator),
        ]
    return found


async def health(_: Request) -> JSONResponse:
    """`GET /healthz`: this process answers."""
    return JSONResponse({"status": "ok"})


async def ill_health(_: Request) -> JSONResponse:
    """`GET /healthz` of an app whose settings keep it from starting."""
    return JSONResponse({"status": "settings"}, status_code=503)
