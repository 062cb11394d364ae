"""Spare every page the news that nothing is new.

After each change by any visitor, Shiny for Python sends an update to every visitor, which is empty
for all but one. With 100 visitors who type at once that is 10,000 messages a second, and most of
the server's time. (Shiny for R sends none to a session without pending updates.)
"""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

EMPTY_UPDATE = '{"values": {}, "inputMessages": [], "errors": {}}'


class WithoutEmptyUpdates:
    """ASGI middleware that drops the empty updates of sessions in which nothing has happened.

    An empty update after any other message stays: it tells the page that outputs are up to date.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection. https://asgi.readthedocs.io/en/latest/specs/www.html#websocket"""
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        is_up_to_date = False

        async def receive_and_note() -> Message:
            nonlocal is_up_to_date
            message = await receive()
            is_up_to_date = False
            return message

        async def send_news(message: Message) -> None:
            nonlocal is_up_to_date
            is_empty = message.get("text") == EMPTY_UPDATE
            if is_empty and is_up_to_date:
                return
            is_up_to_date = is_empty
            await send(message)

        await self._app(scope, receive_and_note, send_news)
