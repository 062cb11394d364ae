"""Writing the requests that the simulator gets into its log."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator.authentication import user_of
from simulator.dropping import Dropped
from simulator.form import read_form, read_query
from simulator.own_path import is_control, own_path
from simulator.request_log import LONGEST_BODY, Entry, RequestLog

_ACCOUNT = re.compile(r"/2010-04-01/Accounts/(AC[0-9a-fA-F]{32})\b")


class RequestLogMiddleware:
    """Writes every request but those to the controls into the log."""

    def __init__(self, app: ASGIApp, log: RequestLog) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request through the app inside."""
        if scope["type"] != "http" or is_control(scope):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        sent = await request.body()
        unread: list[Message] = [{"type": "http.request", "body": sent, "more_body": False}]
        answer = _Answer(send)

        async def replay() -> Message:
            # Read above for the log, the body has to be handed out once more.
            return unread.pop() if unread else await receive()

        try:
            await self._app(scope, replay, answer.pass_on)
        except Dropped:
            raise
        except Exception:
            answer.status = 500  # which is given further out
            raise
        finally:
            self._log.add(await _entry(request, answer))


class _Answer:
    """What goes out to the client, remembered on its way."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status: int | None = None
        self.body = bytearray()

    async def pass_on(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif len(self.body) < LONGEST_BODY:
            self.body += message.get("body", b"")[: LONGEST_BODY - len(self.body)]
        await self._send(message)


async def _entry(request: Request, answer: _Answer) -> Entry:
    path, form = own_path(request.scope), await read_form(request)
    account = _ACCOUNT.match(path)
    return Entry(
        at=datetime.now(UTC),
        direction="in",
        method=request.method,
        path=path,
        parameters=[*read_query(request).for_log(), *form.for_log()],
        status=answer.status,
        body=bytes(answer.body),
        account=account[1] if account else None,
        user=user_of(request),
        fault=request.scope.get("simulator.fault"),
    )
