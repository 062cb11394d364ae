"""Refusing requests whose body is too large, before it fills the memory."""

from __future__ import annotations

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator.errors import ApiError

LARGEST_BODY = 1_000_000
"""Bytes; a text of the greatest length with all its media takes a few thousand."""

_REFUSAL = ApiError(20413, "Request Entity Too Large", 413)


class BodyTooLarge(Exception):
    """Raised to whoever reads a body that is too large."""


class BodyLimitMiddleware:
    """Lets nobody inside read more than LARGEST_BODY, and answers for them with status 413.

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
            # What is left of the body would be taken for the next request.
            headers = {"Connection": "close"}
            answer = JSONResponse(_REFUSAL.to_json(), _REFUSAL.status, headers)
            await answer(scope, receive, send)


def _limited(scope: Scope, receive: Receive) -> Receive:
    announced = dict(scope["headers"]).get(b"content-length", b"0")
    size = 0

    async def limited() -> Message:
        nonlocal size
        # A length that is no number is the server's to refuse; the body itself is counted below.
        if announced.isdigit() and int(announced[:20]) > LARGEST_BODY:
            raise BodyTooLarge
        message = await receive()
        size += len(message.get("body", b""))
        if size > LARGEST_BODY:
            raise BodyTooLarge
        return message

    return limited
