"""Any request that a server would hand to an app, of which browsers and libraries send few."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Message

from tests.support.gated_app import HOST, SERVER, VISITOR

HeaderPairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class RawRequest:
    """A request. `target` is the path and query as they are sent; headers are sent as Latin-1.

    With `ends_early` the sender hangs up after the body's parts.
    """

    method: str = "GET"
    target: str = "/"
    headers: HeaderPairs = ()
    body: tuple[bytes, ...] = (b"",)
    ends_early: bool = False
    client: tuple[str, int] | None = VISITOR

    def scope(self) -> dict[str, Any]:
        """What uvicorn makes of it."""
        raw_path, _, query = self.target.partition("?")
        named = {name.lower() for name, _ in self.headers}
        host = [] if "host" in named else [("host", HOST)]
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": "http",
            "method": self.method,
            "path": unquote(raw_path),
            "raw_path": raw_path.encode("latin-1", "replace"),
            "root_path": "",
            "query_string": query.encode("latin-1", "replace"),
            "headers": [
                (name.lower().encode("latin-1"), value.encode("latin-1"))
                for name, value in (*host, *self.headers)
            ],
            "client": self.client,
            "server": SERVER,
            "state": {},
        }


@dataclass
class RawAnswer:
    """What came back; the status is 0 if nothing did."""

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def header(self, name: str) -> str:
        """The value of a header; "" if it isn't there."""
        return next((value for each, value in self.headers if each == name), "")

    @property
    def text(self) -> str:
        """All that came back."""
        return repr(self.headers) + self.body.decode(errors="replace")


async def ask(app: ASGIApp, request: RawRequest) -> RawAnswer:
    """Send a request and return the answer. What the app raises is raised here."""
    answer = RawAnswer()
    parts = list(request.body)

    async def receive() -> Message:
        if parts:
            more = len(parts) > 1 or request.ends_early
            return {"type": "http.request", "body": parts.pop(0), "more_body": more}
        if request.ends_early or answer.status:
            return {"type": "http.disconnect"}
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = [
                (k.decode("latin-1"), v.decode("latin-1")) for k, v in message["headers"]
            ]
        elif message["type"] == "http.response.body":
            answer.body += message.get("body", b"")

    async with asyncio.timeout(20):
        await app(request.scope(), receive, send)
    return answer
