"""Check what pages send before Shiny reads it: Shiny ends a session with a traceback instead."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.limited_log import LimitedLog

log = LimitedLog(__name__)

# Far more than people write. What is too long for a field has to come through, so that the page
# can say so.
MOST_CHARACTERS = 1_000_000
MOST_INPUTS = 1_000
MOST_NESTED = 5
ADDRESS = ".clientdata_url_search"
UNACCEPTABLE, TOO_BIG = 1008, 1009
UPLOAD = re.compile(r"/session/[^/]*/upload(/|$)")


class CheckedMessages:
    """ASGI middleware that ends a session whose page sends what no page of Callboard sends.

    That is anything but JSON objects in Shiny's order, inputs of an unknown kind, more than a page
    holds, and uploads: no page takes files.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection. https://asgi.readthedocs.io/en/latest/specs/www.html#websocket"""
        if scope["type"] == "http" and UPLOAD.search(scope["path"]):
            await PlainTextResponse("No page here takes files.", 403)(scope, receive, send)
            return
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        session = _Session()

        async def receive_checked() -> Message:
            message = await receive()
            if message["type"] != "websocket.receive":
                return message
            problem, code = session.problem(message.get("text"))
            if not problem:
                return message
            log.warning(f"Ended a session whose page sent {problem}.")
            await send({"type": "websocket.close", "code": code})
            return {"type": "websocket.disconnect", "code": code}

        await self._app(scope, receive_checked, send)


class _Session:
    """What one page has sent so far."""

    def __init__(self) -> None:
        self._inputs: set[str] = set()
        self._has_begun = False

    def problem(self, text: str | None) -> tuple[str, int]:
        """Return what is wrong with a message ("" if nothing), and the code to close with."""
        if text is not None and len(text) > MOST_CHARACTERS:
            return f"a message of {len(text):,} characters", TOO_BIG
        try:
            message = json.loads(text or "")
        except (ValueError, RecursionError):
            return "no JSON", UNACCEPTABLE
        return self._problem(message), UNACCEPTABLE

    def _problem(self, message: Any) -> str:
        """https://github.com/posit-dev/py-shiny/blob/main/shiny/session/_session.py"""
        if not isinstance(message, dict) or not isinstance(message.get("data"), dict):
            return "no inputs"
        if message.get("method") != ("update" if self._has_begun else "init"):
            return "a message out of order"
        self._has_begun = True
        inputs = message["data"]
        self._inputs.update(inputs)
        if len(self._inputs) > MOST_INPUTS:
            return f"more than {MOST_INPUTS:,} inputs"
        for name, value in inputs.items():
            _, _, kind = name.partition(":")
            if not _KINDS.get(kind, _is_nothing)(value):
                return "an input of an unknown kind"
        return "" if isinstance(inputs.get(ADDRESS, ""), str) else "no text as its address"


def _is_nothing(_: Any) -> bool:
    return False


def _is_flat(value: Any, nested: int = 0) -> bool:
    if isinstance(value, (dict, list)):
        parts = value.values() if isinstance(value, dict) else value
        return nested < MOST_NESTED and all(_is_flat(part, nested + 1) for part in parts)
    return True


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_press(value: Any) -> bool:
    return isinstance(value, dict) and "autoReset" in value and _is_count(value.get("value"))


# What an input may hold, by the kind after the colon of its name.
_KINDS: dict[str, Callable[[Any], bool]] = {
    "": _is_flat,
    "shiny.number": _is_flat,
    "shiny.action": _is_count,
    "bslib.taskbutton": _is_press,
}
