"""Closing a connection without an answer."""

from __future__ import annotations

import asyncio

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send


class Dropped(Exception):
    """Raised inside the app to have the connection closed."""


class DropMiddleware:
    """Closes the connection of a request that ends in Dropped."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request through the app inside, or close its connection."""
        try:
            await self._app(scope, receive, send)
        except Dropped:
            await _close(receive, send)


async def _close(receive: Receive, send: Send) -> None:
    if connection := _connection(receive):
        connection.abort()
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    # Any other server closes the connection when an answer breaks off. In process there is none,
    # and httpx hands the client this exception: the one it raises for such a connection.
    await send(
        {"type": "http.response.start", "status": 500, "headers": [(b"content-length", b"1")]}
    )
    raise httpx.RemoteProtocolError("Server disconnected without sending a response.")


def _connection(receive: Receive) -> asyncio.WriteTransport | None:
    # ASGI has no word for it. Under uvicorn `receive` belongs to the object that holds it.
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    return transport if isinstance(transport, asyncio.WriteTransport) else None
