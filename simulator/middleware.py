"""What surrounds every request: the log, the limit on bodies, faults, and dropped connections."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import datetime

import httpx
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator.api.authentication import user_of
from simulator.api.forms import Form, read_form, read_query
from simulator.api.resources import own_path
from simulator.errors import ApiError
from simulator.faults import Fault, Faults
from simulator.log import LONGEST_BODY_BYTES, Entry, RequestLog
from simulator.untrusted_text import loggable, shortened

LARGEST_REQUEST_BYTES = 1_000_000
"""The size of a body; the longest text with all its media takes a few thousand bytes."""

_ACCOUNT = re.compile(r"/2010-04-01/Accounts/(AC[0-9a-fA-F]{32})\b")
_TOO_LARGE = ApiError(20413, "Request Entity Too Large", 413)
_BROKEN = ApiError(20500, "An internal server error has occurred", 500)
_FAULT_ERRORS = {
    "429": ApiError(20429, "Too Many Requests", 429),
    "500-before": _BROKEN,
    "500-after": _BROKEN,
    "outage": ApiError(20503, "Service unavailable", 503),
}


class ConnectionDropped(Exception):
    """Raised inside the app to close the connection without a response."""


class BodyTooLarge(Exception):
    """Raised in the app when it reads a body that is too large."""


class DropMiddleware:
    """Ends a request whose sender has hung up, or whose connection is to be closed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request through the app inside, or close its connection."""
        try:
            await self._app(scope, receive, send)
        except ClientDisconnect:
            return  # the sender hung up before the end of the body: no one is left to answer
        except ConnectionDropped:
            await _close(receive, send)


async def _close(receive: Receive, send: Send) -> None:
    if connection := _connection(receive):
        connection.abort()
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    # Servers other than uvicorn close the connection when a response breaks off. In process there
    # is no server, and httpx passes this exception on to the client, which expects it for such a
    # connection.
    await send(
        {"type": "http.response.start", "status": 500, "headers": [(b"content-length", b"1")]}
    )
    raise httpx.RemoteProtocolError("Server disconnected without sending a response.")


def _connection(receive: Receive) -> asyncio.WriteTransport | None:
    # ASGI has no way to close a connection. Under uvicorn `receive` is a method of its owner.
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    return transport if isinstance(transport, asyncio.WriteTransport) else None


class BodyLimitMiddleware:
    """Answers with status 413 once the app reads more than LARGEST_REQUEST_BYTES of a body.

    https://www.twilio.com/docs/api/errors/20413
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request through the app inside, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            await self._app(scope, _limited(scope, receive), send)
        except BodyTooLarge:
            # The server would take the rest of the body for the next request.
            headers = {"Connection": "close"}
            answer = JSONResponse(_TOO_LARGE.to_json(), _TOO_LARGE.status, headers)
            await answer(scope, receive, send)


def _limited(scope: Scope, receive: Receive) -> Receive:
    announced = dict(scope["headers"]).get(b"content-length", b"0")
    size = 0

    async def limited() -> Message:
        nonlocal size
        # If the length isn't a number, the server deals with it; the body itself is counted below.
        if announced.isdigit() and int(announced[:20]) > LARGEST_REQUEST_BYTES:
            raise BodyTooLarge
        message = await receive()
        size += len(message.get("body", b""))
        if size > LARGEST_REQUEST_BYTES:
            raise BodyTooLarge
        return message

    return limited


class RequestLogMiddleware:
    """Adds every request to the log, except those to the simulator's controls."""

    def __init__(self, app: ASGIApp, log: RequestLog) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request through the app inside."""
        if scope["type"] != "http" or _is_control(scope):
            await self._app(scope, receive, send)
            return
        request, form = Request(scope, receive), Form()

        def write() -> None:
            self._log.add(_entry(self._log.clock.now(), request, form, answer))

        answer = _Answer(send, write)
        try:
            sent, form = await request.body(), await read_form(request)
            await self._app(scope, _replay(sent, receive), answer.pass_on)
        except (ConnectionDropped, ClientDisconnect):
            raise
        except BodyTooLarge:
            answer.status = 413  # BodyLimitMiddleware, outside of this one, answers with it
            raise
        except Exception:
            answer.status = 500  # so does Starlette
            raise
        finally:
            answer.complete()


def _replay(sent: bytes, receive: Receive) -> Receive:
    """Return a `receive` for the app inside, although the body was read for the log."""
    unread: list[Message] = [{"type": "http.request", "body": sent, "more_body": False}]

    async def replay() -> Message:
        return unread.pop() if unread else await receive()

    return replay


class _Answer:
    """The response to the client, recorded on its way.

    `on_complete` is called once, before the last part is sent: a client that has its response finds
    the request in the log.
    """

    def __init__(self, send: Send, on_complete: Callable[[], None]) -> None:
        self._send = send
        self._on_complete = on_complete
        self._is_complete = False
        self.status: int | None = None
        self.body = bytearray()

    def complete(self) -> None:
        if not self._is_complete:
            self._is_complete = True
            self._on_complete()

    async def pass_on(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif len(self.body) < LONGEST_BODY_BYTES:
            self.body += message.get("body", b"")[: LONGEST_BODY_BYTES - len(self.body)]
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self.complete()
        await self._send(message)


def _entry(at: datetime, request: Request, form: Form, answer: _Answer) -> Entry:
    path = own_path(request.scope)
    account = _ACCOUNT.match(path)
    return Entry(
        at=at,
        direction="in",
        method=request.method,
        path=shortened(path),
        parameters=loggable(read_query(request).pairs + form.pairs),
        status=answer.status,
        body=bytes(answer.body),
        account=account[1] if account else None,
        user=user_of(request),
        fault=request.scope.get("simulator.fault"),
    )


class FaultMiddleware:
    """Lets requests to the REST API go wrong as asked; the simulator's controls always work.

    The kind of fault is left in `scope["simulator.fault"]`.
    """

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, with its fault. Raises ConnectionDropped to close the connection."""
        if scope["type"] != "http" or _is_control(scope):
            await self._app(scope, receive, send)
            return
        fault = self._faults.take(scope["method"], own_path(scope))
        if fault is None:
            await self._app(scope, receive, send)
            return
        scope["simulator.fault"] = fault.kind
        await self._go_wrong(fault, scope, receive, send)

    async def _go_wrong(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.kind == "slow":
            # Real seconds: it is the client's timeout that is tested, and that isn't simulated.
            await asyncio.sleep(fault.seconds)
            await self._app(scope, receive, send)
            return
        if fault.kind in {"500-after", "drop-after"}:
            await self._app(scope, receive, _discard)
        if fault.kind in {"drop-before", "drop-after"}:
            raise ConnectionDropped
        error = _FAULT_ERRORS[fault.kind]
        headers = None if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        answer = JSONResponse(error.to_json(), status_code=error.status, headers=headers)
        await answer(scope, receive, send)


async def _discard(message: Message) -> None:
    """Stand in for `send` if the client is to get no response."""


def _is_control(scope: Scope) -> bool:
    return own_path(scope).startswith("/simulator/")
