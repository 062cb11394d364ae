"""The log: requests in both directions, and what happens to calls and texts; never a secret."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from sys import getsizeof
from typing import Literal
from urllib.parse import parse_qsl

import httpx

from simulator.clock import Clock
from simulator.models.call import Call, CallEvent
from simulator.models.message import Message
from simulator.models.webhooks import CALL_EVENTS
from simulator.untrusted_text import loggable, shortened, without_password

MOST_ENTRIES = 10_000
MOST_BYTES = 64 * 1024 * 1024
"""The size of all parameters and responses together; beyond it the oldest entries are dropped."""
LONGEST_BODY_BYTES = 64 * 1024


@dataclass(frozen=True)
class Entry:
    """One request and its response, or one event.

    `direction` is `in` for requests to the simulator, `out` for its own to a customer's server, and
    `event` for what happened to the call or text at `path`: `event` says what, `method` is empty.
    `path` is below the simulator or, going out, the whole address; `parameters` are in order;
    `status` is None where no response came. `account` is the account concerned, `user` the SID of
    the account or API key that sent the request, `fault` the kind of an injected fault.
    """

    at: datetime
    direction: Literal["in", "out", "event"]
    method: str
    path: str
    parameters: list[tuple[str, str]]
    status: int | None
    body: bytes = field(default=b"", repr=False)
    account: str | None = None
    user: str | None = None
    fault: str | None = None
    event: str | None = None

    @cached_property
    def size(self) -> int:
        """About how many bytes of memory the entry takes."""
        texts = (text for pair in self.parameters for text in (*pair, pair))
        return sum(map(getsizeof, (self.body, self.path, *texts)))

    def to_json(self) -> dict[str, object]:
        """The entry for people and programs, with the body as JSON where it is JSON."""
        return {
            "at": self.at.isoformat(timespec="milliseconds"),
            "direction": self.direction,
            "method": self.method,
            "path": self.path,
            "parameters": self.parameters,
            "status": self.status,
            "body": _readable(self.body),
            "account": self.account,
            "user": self.user,
            "fault": self.fault,
            "event": self.event,
        }


class RequestLog:
    """The newest requests and events; a request is added before its response ends.

    `clock` dates them.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.entries: deque[Entry] = deque()
        self._bytes = 0

    def add(self, entry: Entry) -> None:
        """Add one entry, and drop the oldest ones if there are too many."""
        self.entries.append(entry)
        self._bytes += entry.size
        while len(self.entries) > MOST_ENTRIES or self._bytes > MOST_BYTES:
            self._bytes -= self.entries.popleft().size

    def clear(self) -> None:
        """Drop every entry."""
        self.entries.clear()
        self._bytes = 0


class EventLog:
    """An observer of calls and texts that adds their events to the log, between the requests."""

    def __init__(self, log: RequestLog) -> None:
        self._log = log

    def call(self, call: Call, event: CallEvent) -> None:
        """Add a call's event with its status, or what was said or pressed."""
        if event in CALL_EVENTS:
            self._add(call, event, ("CallStatus", call.status))
        elif event == "line" and call.transcript[-1].kind != "fetch":
            line = call.transcript[-1]
            self._add(call, line.kind, ("Text", line.text))

    def message(self, message: Message) -> None:
        """Add a text's status."""
        self._add(message, message.status, ("MessageStatus", message.status))

    def _add(self, record: Call | Message, event: str, parameter: tuple[str, str]) -> None:
        self._log.add(
            Entry(
                at=self._log.clock.now(),
                direction="event",
                method="",
                path=f"{record.path}.json",
                parameters=loggable([parameter]),
                status=None,
                account=record.account_sid,
                event=event,
            )
        )


class OutgoingLog:
    """Logs the requests for documents and callbacks that are made on behalf of an account."""

    def __init__(self, log: RequestLog, account_sid: str) -> None:
        self._log = log
        self._account_sid = account_sid

    async def on_response(self, response: httpx.Response) -> None:
        """Add a response once its body has been read; an event hook for httpx's client."""
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - the client's kind
        # A compressed body isn't text that could be shown.
        is_plain = "content-encoding" not in response.headers
        response.stream = _LoggedStream(response.stream, self, response, is_plain)

    def write(self, request: httpx.Request, status: int | None = None, body: bytes = b"") -> None:
        """Add one request; without a status, no response came."""
        encoded = (request.url.query or request.content).decode("utf-8", errors="replace")
        parameters = parse_qsl(encoded, keep_blank_values=True, errors="replace")
        self._log.add(
            Entry(
                at=self._log.clock.now(),
                direction="out",
                method=request.method,
                path=shortened(str(request.url.copy_with(query=None))),
                parameters=loggable(parameters),
                status=status,
                body=body,
                account=self._account_sid,
            )
        )


class _LoggedStream(httpx.AsyncByteStream):
    """The body of a response, recorded while it is read and logged when it is closed."""

    def __init__(
        self,
        stream: httpx.AsyncByteStream,
        log: OutgoingLog,
        response: httpx.Response,
        is_plain: bool,
    ) -> None:
        self._stream = stream
        self._log = log
        self._response = response
        self._is_plain = is_plain
        self._body = bytearray()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            if self._is_plain and len(self._body) < LONGEST_BODY_BYTES:
                self._body += chunk[: LONGEST_BODY_BYTES - len(self._body)]
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
        self._log.write(self._response.request, self._response.status_code, bytes(self._body))


def _readable(body: bytes) -> object:
    text = body.decode("utf-8", errors="replace")
    try:
        return _masked(json.loads(text))
    except (ValueError, RecursionError):
        return without_password(text)


def _masked(value: object) -> object:
    if isinstance(value, str):
        return without_password(value)
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if isinstance(value, dict):
        return {key: _masked(item) for key, item in value.items()}
    return value
