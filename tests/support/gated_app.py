"""The app behind its sign-in, in memory: requests and sessions from any computer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message
from starlette.websockets import WebSocket

from alerts import Desk
from app import create_app
from dashboard.own_pages import OwnPagesOnly
from dashboard.sign_in import Access
from dashboard.sign_in.gate import Gate
from settings import Settings
from tests.support.desks import simulated_desk
from tests.support.signing_in import MAYA, PASSWORD

HOST = "calls.example.com"
ORIGIN = f"https://{HOST}"
VISITOR = ("203.0.113.7", 40123)
SERVER = ("192.0.2.1", 8000)
LIVE = {
    "twilio_account_sid": "AC" + "1" * 32,
    "twilio_auth_token": "a-token-for-nothing",
    "twilio_from_number": "+17248675309",
}


@dataclass
class GatedApp:
    """An app, and what a browser on another computer asks it for."""

    asgi: ASGIApp
    desk: Desk
    access: Access
    web: httpx.AsyncClient

    async def signed_in(self, name: str = MAYA) -> str:
        """Sign in; return the cookie as browsers send it. The client itself keeps none."""
        answer = await self.submit(name=name, password=PASSWORD)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["set-cookie"].partition(";")[0])

    async def submit(self, *, headers: Mapping[str, str] | None = None, **form: Any) -> Any:
        """Send the sign-in form."""
        given = {"Origin": ORIGIN} if headers is None else headers
        answer = await self.web.post("/sign-in", data=form, headers=given)
        self.web.cookies.clear()
        return answer

    async def open(self, cookie: str = "", **headers: str) -> OpenedSession:
        """Open a session as a page does."""
        session = OpenedSession()
        sent = {"host": HOST, "origin": ORIGIN, **headers, **({"cookie": cookie} if cookie else {})}
        scope = {
            "type": "websocket",
            "scheme": "wss",
            "path": "/websocket/",
            "raw_path": b"/websocket/",
            "root_path": "",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
            "client": VISITOR,
            "server": SERVER,
            "subprotocols": [],
            "state": {},
        }
        session.task = asyncio.create_task(
            self.asgi(scope, session.to_app.get, session.from_app.put)  # type: ignore[arg-type]
        )
        session.scope = scope
        session.to_app.put_nowait({"type": "websocket.connect"})
        return session


@dataclass
class OpenedSession:
    """A session, of which the test is the browser."""

    to_app: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)
    from_app: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)
    task: asyncio.Task[None] | None = None
    scope: dict[str, Any] = field(default_factory=dict)

    async def next(self) -> Message:
        async with asyncio.timeout(10):
            return await self.from_app.get()

    async def is_let_in(self) -> bool:
        """Whether the handshake is answered and Shiny's session begins."""
        first = await self.next()
        if first["type"] == "websocket.close":
            return False
        second = await self.next()
        return second["type"] == "websocket.send" and "sessionId" in second["text"]

    def say(self, **message: object) -> None:
        self.to_app.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})

    async def until_closed(self) -> list[Message]:
        """What is sent until the session is closed."""
        sent = [await self.next()]
        while sent[-1]["type"] != "websocket.close":
            sent.append(await self.next())
        return sent

    async def leave(self) -> None:
        """Close the page."""
        self.to_app.put_nowait({"type": "websocket.disconnect", "code": 1001})
        if self.task is not None:
            async with asyncio.timeout(10):
                await asyncio.gather(self.task, return_exceptions=True)


@asynccontextmanager
async def gated_app(
    folder: Path,
    *,
    live: bool = False,
    bare: bool = False,
    **settings: Any,
) -> AsyncIterator[GatedApp]:
    """An app with these settings, whose calls only a simulator gets even if it is `live`.

    A `bare` one has no pages of Shiny's, which take seconds to build and to open.
    """
    given = Settings(_env_file=None, **(LIVE if live else {}), **settings)
    async with simulated_desk(folder) as desk:
        access = Access.from_settings(given, desk)
        if bare:
            async with bare_app(desk, access) as app:
                yield app
        else:
            async with _visited(create_app(desk, access=access).starlette_app, desk, access) as app:
                yield app


@asynccontextmanager
async def bare_app(desk: Desk, access: Access) -> AsyncIterator[GatedApp]:
    """An app that has no pages of Shiny's, behind `access`."""
    async with _visited(_bare(access), desk, access) as app:
        yield app


@asynccontextmanager
async def _visited(asgi: ASGIApp, desk: Desk, access: Access) -> AsyncIterator[GatedApp]:
    transport = httpx.ASGITransport(app=asgi, client=VISITOR)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as web:
        yield GatedApp(asgi, desk, access, web)


def _bare(access: Access) -> Starlette:
    def page(_: Request) -> Response:
        return PlainTextResponse("the page")

    async def session(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text('{"config": {"sessionId": "0123"}}')
        async for text in socket.iter_text():
            await socket.send_text(text)

    app = Starlette(routes=[Route("/", page), WebSocketRoute("/websocket/", session)])
    app.add_middleware(Gate, identify=access.identify, page=access.page, sign_in=access.sign_in)
    app.add_middleware(OwnPagesOnly, origins=())
    return app
