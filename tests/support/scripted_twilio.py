"""A Twilio that follows a script: answers in turn, and connections that it drops."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from alerts import AlertRequest
from simulator import SIMULATOR_FROM_NUMBER

CALL_SID = "CA" + "0123456789abcdef" * 2

MESSAGE_SID = "SM" + CALL_SID[2:]


@dataclass(frozen=True)
class Answer:
    """An answer: a status and JSON, after `seconds` and once `released`, if that is an event.

    Status 0 drops the connection instead.
    """

    status: int
    payload: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0
    released: asyncio.Event | None = None


DROPPED = Answer(0)
PLACED = Answer(201, {"sid": CALL_SID, "status": "queued"})
TEXTED = Answer(201, {"sid": MESSAGE_SID, "status": "queued"})
TOO_FAST = Answer(429, {"code": 20429, "message": "Too Many Requests"})
NOTHING = Answer(200, {"calls": [], "messages": []})


def at(status: str, **fields: Any) -> Answer:
    """A call or text with this status."""
    return Answer(200, {"sid": CALL_SID, "status": status, **fields})


def listed(request: AlertRequest, **fields: str) -> Answer:
    """Twilio's list with the call and the text that the request made."""
    made = {"to": request.to, "from": SIMULATOR_FROM_NUMBER, "body": request.message}
    created = format_datetime(datetime.now(UTC) + timedelta(seconds=1))
    found = made | {"status": "queued", "date_created": created} | fields
    calls, messages = found | {"sid": CALL_SID}, found | {"sid": MESSAGE_SID}
    return Answer(200, {"calls": [calls], "messages": [messages]})


@dataclass
class ScriptedTwilio:
    """`creating` are the answers to POST, `looking` those to GET; the last of each stays."""

    creating: list[Answer]
    looking: list[Answer] = field(default_factory=lambda: [at("completed")])
    posts: list[dict[str, str]] = field(default_factory=list)
    looks: int = 0
    port: int = 0
    _server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen; on the same port as before, if it has been stopped."""
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse connections."""
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            answer = self._next(*await _read(reader))
            await asyncio.sleep(answer.seconds)
            if answer.released:
                await answer.released.wait()
            if answer.status:
                writer.write(_written(answer))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # The client went away first.
        finally:
            writer.close()

    def _next(self, method: str, form: dict[str, str]) -> Answer:
        if method == "POST":
            self.posts.append(form)
            return self.creating[min(len(self.posts), len(self.creating)) - 1]
        self.looks += 1
        return self.looking[min(self.looks, len(self.looking)) - 1]


async def _read(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    lengths = [line for line in head.lower().splitlines() if line.startswith("content-length:")]
    body = await reader.readexactly(int(lengths[0].partition(":")[2])) if lengths else b""
    return head.partition(" ")[0], dict(parse_qsl(body.decode()))


def _written(answer: Answer) -> bytes:
    body = json.dumps(answer.payload).encode()
    headers = answer.headers | {"Content-Type": "application/json", "Connection": "close"}
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


@asynccontextmanager
async def scripted_twilio(
    *creating: Answer, looking: list[Answer]
) -> AsyncIterator[ScriptedTwilio]:
    """A Twilio that listens, with these answers."""
    twilio = ScriptedTwilio(list(creating), looking)
    await twilio.start()
    try:
        yield twilio
    finally:
        await twilio.stop()
