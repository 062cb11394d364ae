"""A server that records every request and sends the answers that a test chooses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

ACCOUNT_SID = "AC" + "0123456789abcdef" * 2
CALL_SID = "CA" + "0123456789abcdef" * 2
MESSAGE_SID = "SM" + "0123456789abcdef" * 2
SERVICE_SID = "MG" + "0123456789abcdef" * 2
KEY_SID = "SK" + "0123456789abcdef" * 2
TOKEN = "token-that-must-stay-secret"
TO = "+15558675310"
FROM = "+15017122661"
NUMBER_SID = "PN" + "0123456789abcdef" * 2
LISTS = ("/Calls.json", "/Messages.json", "/IncomingPhoneNumbers.json", "/OutgoingCallerIds.json")
ACCOUNT_PATH = f"/2010-04-01/Accounts/{ACCOUNT_SID}"


@dataclass(frozen=True)
class Recorded:
    """One request as it arrived."""

    method: str
    path: str
    query: list[tuple[str, str]]
    form: list[tuple[str, str]]
    headers: dict[str, str]


def succeed(request: Recorded) -> Response:
    """Return a resource that has only a SID, or for a list its empty last page."""
    if request.method == "GET" and request.path.endswith(LISTS):
        lists: dict[str, list[object]] = {
            "calls": [],
            "messages": [],
            "incoming_phone_numbers": [],
            "outgoing_caller_ids": [],
        }
        return JSONResponse({**lists, "next_page_uri": None})
    return JSONResponse({"sid": CALL_SID})


@dataclass
class Recorder:
    """The ASGI app: the `requests` so far, and `answer`, which returns the response to each."""

    answer: Callable[[Recorded], Response] = succeed
    requests: list[Recorded] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        recorded = Recorded(
            method=request.method,
            path=request.url.path,
            query=parse_qsl(request.url.query, keep_blank_values=True),
            form=parse_qsl((await request.body()).decode(), keep_blank_values=True),
            headers=dict(request.headers),
        )
        self.requests.append(recorded)
        await self.answer(recorded)(scope, receive, send)


def always(payload: Any, status: int = 200, headers: dict[str, str] | None = None) -> Recorder:
    """Return a server that sends the same answer to every request."""
    return Recorder(lambda _: JSONResponse(payload, status, headers))
