"""A page of a Shiny app, opened as a browser opens it: a WebSocket with inputs and outputs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

# Browsers ask for compressed messages, with a window of this many bits.
COMPRESSION = 15
PATIENCE_SECONDS = 90

Message = dict[str, Any]


class PageSession:
    """One visitor's page: `change` sends inputs, `receive` returns the app's messages."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def change(self, **inputs: object) -> None:
        """Send new values of inputs, by their full ids."""
        await self._send("update", inputs)

    async def receive(self) -> str:
        """The next message, as JSON. Raises ConnectionError once the app has hung up."""
        message = await self._socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            why = f"{message.type.name} {message.data or ''} {message.extra or ''}".strip()
            raise ConnectionError(f"The app ended the session: {why}.")
        return str(message.data)

    async def until(self, seen: Callable[[Message], bool]) -> Message:
        """The next message that is waited for. Raises TimeoutError after 90 s."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                message: Message = json.loads(await self.receive())
                if seen(message):
                    return message

    async def start(self, inputs: Mapping[str, object], outputs: Sequence[str]) -> None:
        """Send the page's inputs to the app, and wait for its first outputs."""
        visible = {f".clientdata_output_{output}_hidden": False for output in outputs}
        await self._send("init", {**inputs, **visible, ".clientdata_url_search": ""})
        await self.until(lambda message: outputs[0] in message.get("values", {}))

    async def _send(self, method: str, data: Mapping[str, object]) -> None:
        await self._socket.send_str(json.dumps({"method": method, "data": data}))


@asynccontextmanager
async def opened(
    http: aiohttp.ClientSession, address: str, inputs: Mapping[str, object], outputs: Sequence[str]
) -> AsyncIterator[PageSession]:
    """Open the page of the app at `address` for as long as the block lasts."""
    async with http.ws_connect(f"{address}/websocket/", compress=COMPRESSION) as socket:
        page = PageSession(socket)
        await page.start(inputs, outputs)
        yield page
