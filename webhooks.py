"""What Twilio sees of this app: plain HTTP routes beside the pages, and how long they wait."""

from __future__ import annotations

import asyncio
import logging

from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alerts import Desk
from alerts.callbacks import CallbackReceiver, callback_routes
from alerts.log_lines import on_one_line
from storage import LocalStorage, twiml_route

# How long a body may take, plus a second for each LEAST_BYTES_PER_SECOND bytes of it.
BODY_SECONDS = 20.0
LEAST_BYTES_PER_SECOND = 20_000


class TimelyBodies:
    """ASGI middleware that ends requests whose body doesn't come, or comes byte by byte.

    Servers wait for them forever, and each would keep a connection and a task. Such a request is
    answered with 408; to the app it looks as if the client had hung up.
    https://www.rfc-editor.org/rfc/rfc9110#name-408-request-timeout
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. https://asgi.readthedocs.io/en/latest/specs/www.html"""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        deadline = asyncio.get_running_loop().time() + BODY_SECONDS
        is_whole = is_over = has_begun = False

        async def receive_in_time() -> Message:
            nonlocal deadline, is_whole, is_over
            if is_over:
                return {"type": "http.disconnect"}
            if is_whole:
                return await receive()  # until the client hangs up, which may take long
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                is_over = True
                if not has_begun:
                    await TOO_SLOW(scope, receive, send)
                return {"type": "http.disconnect"}
            deadline += len(message.get("body", b"")) / LEAST_BYTES_PER_SECOND
            is_whole = not message.get("more_body", False)
            return message

        async def send_unless_over(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            if not is_over:
                await send(message)

        await self._app(scope, receive_in_time, send_unless_over)


TOO_SLOW = PlainTextResponse(
    "The request's body came too slowly: send it again.", 408, {"Connection": "close"}
)


class WithoutQueries(logging.Filter):
    """Leaves the query out of each line of Uvicorn's access log.

    Twilio fetches a document with the caller's and the recipient's number in its query.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the path, the third of five arguments that Uvicorn passes, and keep the line."""
        if isinstance(record.args, tuple) and len(record.args) == 5:
            client, method, path, *rest = record.args
            # Through a proxy on this machine, a client can call itself anything.
            record.args = (on_one_line(client), method, str(path).partition("?")[0], *rest)
        return True


def keep_queries_out_of_logs() -> None:
    """Filter the access log of this process, for as long as it runs."""
    log = logging.getLogger("uvicorn.access")
    if not any(isinstance(each, WithoutQueries) for each in log.filters):
        log.addFilter(WithoutQueries())


def routes(desk: Desk) -> list[BaseRoute]:
    """Return the routes: callbacks; TwiML if documents are kept here; the simulator if used."""
    services = desk.services
    found = callback_routes(CallbackReceiver.of(services), desk.history)
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
