"""What Twilio and monitors see of this app: plain HTTP routes beside the pages."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from alerts import DatabaseError, Desk
from alerts.callback_addresses import (
    KEY_PRESS_PATH,
    STATUS_PATH,
    About,
    CallbackAddresses,
    UnknownAlert,
)
from alerts.means import SIMULATED_APP_URL
from alerts.signed_forms import Refused, SignedForm, read_signed_form
from storage import LocalStorage, twiml_route

if TYPE_CHECKING:
    from alerts.history import History

log = logging.getLogger(__name__)

# Twilio waits for 15 seconds.
SECONDS_FOR_THE_DATABASE = 10.0

Hear = Callable[["History", About, SignedForm], Awaitable[Response]]


def routes(desk: Desk) -> list[BaseRoute]:
    """The routes for this desk: TwiML if documents live here, the simulator if it answers."""
    found: list[BaseRoute] = [Route("/healthz", health), *callback_routes(desk)]
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


def attach(desk: Desk) -> None:
    """Let a simulator in this process tell the desk what happens, as Twilio does over HTTP.

    Nothing where there is none. For a desk that isn't open yet.
    """
    if desk.means.inside is not None:
        desk.means.inside.router.routes.extend(callback_routes(desk))
        desk.means = replace(desk.means, callbacks=CallbackAddresses(SIMULATED_APP_URL))


def callback_routes(desk: Desk) -> list[BaseRoute]:
    """Where Twilio tells what becomes of alerts."""
    return [
        Route(STATUS_PATH, _route(desk, STATUS_PATH, hear_status), methods=["POST"]),
        Route(KEY_PRESS_PATH, _route(desk, KEY_PRESS_PATH, hear_key_press), methods=["POST"]),
    ]


async def hear_status(history: History, about: About, form: SignedForm) -> Response:
    """`POST /twilio/status`: the status of a call or text, or who answered it."""
    from alerts import callbacks  # noqa: PLC0415

    await callbacks.hear_status(history, about, form.fields)
    return Response(status_code=204)


async def hear_key_press(history: History, about: About, form: SignedForm) -> Response:
    """`POST /twilio/gather`: a key that was pressed; the answer is what the call says next."""
    from alerts import callbacks  # noqa: PLC0415

    document = await callbacks.hear_key_press(history, about, form.fields, form.url)
    return Response(document.to_xml(), media_type="text/xml")


def _route(desk: Desk, path: str, hear: Hear) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return await _answer(desk, hear, await read_signed_form(request, path, desk.means))
        except Refused as refused:
            log.log(refused.level, "%s: %s", path, refused)
            return Response(status_code=refused.status)

    return answer


async def _answer(desk: Desk, hear: Hear, form: SignedForm) -> Response:
    try:
        about = About.of(form.query, form.fields)
        async with asyncio.timeout(SECONDS_FOR_THE_DATABASE):
            return await hear(await desk.history(), about, form)
    except UnknownAlert:
        raise Refused(404, "about an alert that isn't here", logging.INFO) from None
    except (TimeoutError, DatabaseError):
        raise Refused(503, "the database can't be reached, so nothing was written down") from None


async def health(_: Request) -> JSONResponse:
    """`GET /healthz`: this process answers."""
    return JSONResponse({"status": "ok"})


async def ill_health(_: Request) -> JSONResponse:
    """`GET /healthz` of an app whose settings keep it from starting."""
    return JSONResponse({"status": "settings"}, status_code=503)
