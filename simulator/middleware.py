"""Writing the requests that the simulator gets into its log."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator.api.authentication import user_of
from simulator.api.forms import Form, read_form, read_query
from simulator.body_limit import BodyTooLarge
from simulator.dropping import Dropped
from simulator.log import LONGEST_BODY, Entry, RequestLog
from simulator.masking import shortened
from simulator.own_path import is_control, own_path

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
        answer, form = _Answer(send), Form()
        try:
            sent, form = await request.body(), await read_form(request)
            await self._app(scope, _replay(sent, receive), answer.pass_on)
        except (Dropped, ClientDisconnect):
            raise
        except BodyTooLarge:
            answer.status = 413  # which is given further out
            raise
        except Exception:
            answer.status = 500  # as well
            raise
        finally:
            self._log.add(_entry(request, form, answer))


def _replay(sent: bytes, receive: Receive) -> Receive:
    """`receive` for an app inside, although the body was read for the log."""
    unread: list[Message] = [{"type": "http.request", "body": sent, "more_body": False}]

    async def replay() -> Message:
        return unread.pop() if unread else await receive()

    return replay


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


def _entry(request: Request, form: Form, answer: _Answer) -> Entry:
    path = own_path(request.scope)
    account = _ACCOUNT.match(path)
    return Entry(
        at=datetime.now(UTC),
        direction="in",
        method=request.method,
        path=shortened(path),
        parameters=[*read_query(request).for_log(), *form.for_log()],
        status=answer.status,
        body=bytes(answer.body),
        account=account[1] if account else None,
        user=user_of(request),
        fault=request.scope.get("simulator.fault"),
    )
