"""The log of what clients asked for and what they got, without secrets."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator.form import read_form, read_query

MOST_ENTRIES = 10_000


@dataclass(frozen=True)
class Entry:
    """One request: its path below the simulator, its parameters in order, the HTTP status."""

    method: str
    path: str
    parameters: list[tuple[str, str]]
    status: int


@dataclass
class RequestLog:
    """The newest requests, in the order in which they were answered."""

    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=MOST_ENTRIES))


class RequestLogMiddleware:
    """Writes every request outside `/simulator` into the log."""

    def __init__(self, app: ASGIApp, log: RequestLog) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request through the app inside."""
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if scope["type"] != "http" or path.startswith("/simulator/"):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        body = await request.body()
        form = await read_form(request)
        parameters = [*read_query(request).for_log(), *form.for_log()]
        status = 500

        async def replay() -> Message:
            # Read above for the log, the body has to be handed out once more.
            return {"type": "http.request", "body": body, "more_body": False}

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, replay, watch)
        finally:
            self._log.entries.append(Entry(request.method, path, parameters, status))
