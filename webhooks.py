"""What Twilio and monitors see of this app: plain HTTP routes beside the pages."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from alerts import Desk
from alerts.callbacks import CallbackReceiver, callback_routes
from storage import LocalStorage, twiml_route


def routes(desk: Desk) -> list[BaseRoute]:
    """Callbacks and health; TwiML if documents live here; the simulator if it answers."""
    services = desk.services
    found: list[BaseRoute] = [
        Route("/healthz", health),
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


async def health(_: Request) -> JSONResponse:
    """`GET /healthz`: this process answers."""
    return JSONResponse({"status": "ok"})


async def ill_health(_: Request) -> JSONResponse:
    """`GET /healthz` of an app whose settings keep it from starting."""
    return JSONResponse({"status": "settings"}, status_code=503)
