"""The log of everything that was asked and answered, without secrets."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from sys import getsizeof
from typing import Literal

from simulator.masking import without_password

MOST_ENTRIES = 10_000
MOST_BYTES = 64 * 1024 * 1024
"""Of all parameters and answers together; the oldest entries make room."""
LONGEST_BODY = 64 * 1024


@dataclass(frozen=True)
class Entry:
    """One request and its answer, or one event.

    `direction` is `in` for requests to the simulator, `out` for its own to a customer's server, and
    `event` for what happened to the call or text at `path`: `event` says what, `method` is empty.
    `path` is below the simulator or, going out, the whole address; `parameters` are in order;
    `status` is None where no answer came. `account` is whose business it was, `user` who asked:
    the SID of an account or an API key. `fault` is what went wrong on order.
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
        """The entry for people and programs, the answer's body as JSON where it is JSON."""
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
    """The newest requests and events; a request comes in when it was answered."""

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque()
        self._bytes = 0

    def add(self, entry: Entry) -> None:
        """Write one entry, and forget the oldest if there are too many."""
        self.entries.append(entry)
        self._bytes += entry.size
        while len(self.entries) > MOST_ENTRIES or self._bytes > MOST_BYTES:
            self._bytes -= self.entries.popleft().size

    def clear(self) -> None:
        """Forget everything."""
        self.entries.clear()
        self._bytes = 0


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
