"""Check what pages send before Shiny reads it: Shiny ends a session with a traceback instead."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alerts.log_lines import LimitedLog

log = LimitedLog(__name__)

# Far more than people write. A text that is too long for its field has to come through, so that the
# page can say so.
MOST_CHARACTERS = 1_000_000
MOST_INPUTS = 1_000
MOST_NESTED = 5
ADDRESS = ".clientdata_url_search"
UNACCEPTABLE, TOO_BIG = 1008, 1009
UPLOAD = re.compile(r"/session/[^/]*/upload(?:/(?P<job>[^/]*))?")
JOB = re.compile(r'"jobId":\s*"([0-9a-f]+)"')
MOST_UPLOAD_BYTES = 20_000_000
MOST_FILE_NAME_CHARACTERS = 255
MOST_UPLOADS_AT_ONCE = 20


class CheckedMessages:
    """ASGI middleware that ends a session whose page sends what no page of Callboard sends.

    That is anything but JSON objects in Shiny's order, inputs of an unknown kind, and more than a
    page holds. Files are taken one at a time, of MOST_UPLOAD_BYTES at most, and only for the
    `file_inputs` (with their namespace).
    """

    def __init__(self, app: ASGIApp, file_inputs: Collection[str] = ()) -> None:
        self._app = app
        self._file_inputs = frozenset(file_inputs)
        # The size of each file that was announced and hasn't come yet, by Shiny's id for it.
        self._expected: dict[str, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection. https://asgi.readthedocs.io/en/latest/specs/www.html#websocket"""
        if scope["type"] == "http" and (upload := UPLOAD.search(scope["path"])):
            await self._take_file(upload["job"] or "", scope, receive, send)
            return
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        session = _Session(self._file_inputs)

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

        async def send_and_listen(message: Message) -> None:
            # Shiny's answer to an announced file names the address that takes it.
            if session.announced and (job := JOB.search(message.get("text") or "")):
                while len(self._expected) >= MOST_UPLOADS_AT_ONCE:
                    del self._expected[next(iter(self._expected))]  # one that never came
                self._expected[job[1]] = session.announced
                session.announced = 0
            await send(message)

        await self._app(scope, receive_checked, send_and_listen)

    async def _take_file(self, job: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a file that a page has announced, if it is no larger than that."""
        expected = self._expected.pop(job, None)
        length = Headers(scope=scope).get("content-length", "")
        if expected is None:
            await PlainTextResponse("No page here takes files.", 403)(scope, receive, send)
        elif not length.isdecimal() or int(length[:20]) > expected:
            await PlainTextResponse("The file is larger than announced.", 413)(scope, receive, send)
        else:
            # A visitor who leaves during an upload isn't worth logging.
            with suppress(ClientDisconnect):
                await self._app(scope, receive, send)


class _Session:
    """What one page has sent so far. `announced` is the size of a file that it wants to send."""

    def __init__(self, file_inputs: Collection[str]) -> None:
        self._file_inputs = file_inputs
        self._inputs: set[str] = set()
        self._has_begun = False
        self.announced = 0

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
        if self._has_begun and isinstance(message, dict) and "args" in message:
            return self._upload_problem(message)
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
            own, _, kind = name.partition(":")
            # The upload determines where a file is stored, never the page.
            kind = "shiny.file" if own in self._file_inputs else kind
            if not _KINDS.get(kind, _is_nothing)(value):
                return "an input of an unknown kind"
        return "" if isinstance(inputs.get(ADDRESS, ""), str) else "an address that isn't text"

    def _upload_problem(self, message: dict[str, Any]) -> str:
        """https://github.com/posit-dev/py-shiny/blob/main/shiny/_fileupload.py"""
        args, files = message["args"], list(self._file_inputs)
        if not (files and isinstance(args, list) and _is_count(message.get("tag"))):
            return "a file, which this page doesn't take"
        if message.get("method") == "uploadEnd":
            is_known = len(args) == 2 and isinstance(args[0], str) and args[1] in files
            return "" if is_known else "a file for an input that takes none"
        if message.get("method") != "uploadInit" or not _is_one_file(args):
            return "something that isn't a file"
        self.announced = max(1, args[0][0]["size"])
        return ""


def _is_one_file(args: list[Any]) -> bool:
    """Whether one file is announced, with a name and a size that can be taken."""
    match args:
        case [[{"name": str(name), "size": int(size), "type": str()}]]:
            return (
                0 < len(name) <= MOST_FILE_NAME_CHARACTERS
                and name.isprintable()
                and not set(name) & set("/\\")
                and _is_count(size)
                and size <= MOST_UPLOAD_BYTES
            )
    return False


def _is_nothing(_: Any) -> bool:
    return False


def _is_flat(value: Any, nested: int = 0) -> bool:
    if isinstance(value, (dict, list)):
        parts = value.values() if isinstance(value, dict) else value
        return nested < MOST_NESTED and all(_is_flat(part, nested + 1) for part in parts)
    return True


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_none(value: Any) -> bool:
    """Whether a file input is empty, as it must be: files come by upload."""
    return value is None


def _is_press(value: Any) -> bool:
    return isinstance(value, dict) and "autoReset" in value and _is_count(value.get("value"))


# What an input may hold, by the kind after the colon of its name.
_KINDS: dict[str, Callable[[Any], bool]] = {
    "": _is_flat,
    "shiny.number": _is_flat,
    "shiny.action": _is_count,
    "shiny.file": _is_none,
    "bslib.taskbutton": _is_press,
}
