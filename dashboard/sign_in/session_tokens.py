"""One-time tokens, with which a page opens a session that carries no cookie.

Shiny Server passes cookies on with a page's requests, but not with its session. So the page uses
its cookie to get a token, and sends that as the first thing in the session.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.types import Message, Receive, Send

if TYPE_CHECKING:
    from access.sessions import SignedIn

# Under Shiny Server one process serves the page and its sessions, so memory is the place for them.
SECONDS_VALID = 60.0
MOST_TOKENS = 1000
SECONDS_UNTIL_FIRST_MESSAGE = 30.0
MOST_CHARACTERS = 1_000_000
POLICY_VIOLATION = 1008
# The page's script puts the token into the session's first message under this name.
FIELD = "callboard_token"


@dataclass(frozen=True, slots=True)
class _Issued:
    signed_in: SignedIn
    until: float


class SessionTokens:
    """The tokens of one process: each opens one session, within a minute, for its sign-in."""

    def __init__(self) -> None:
        self._issued: dict[str, _Issued] = {}

    def issue(self, signed_in: SignedIn) -> str:
        """Return a new token."""
        now = time.monotonic()
        for token, issued in list(self._issued.items()):
            if issued.until > now and len(self._issued) < MOST_TOKENS:
                break
            del self._issued[token]  # expired, or the oldest of too many
        token = secrets.token_urlsafe(32)
        self._issued[token] = _Issued(signed_in, now + SECONDS_VALID)
        return token

    def redeem(self, token: str) -> SignedIn | None:
        """Return the sign-in that a token is for, once; None if it is unknown, used or too old."""
        issued = self._issued.pop(token, None)
        return issued.signed_in if issued and issued.until > time.monotonic() else None


async def first_message(receive: Receive, send: Send) -> tuple[str, Message] | None:
    """Accept a session; return the token in its first message, and that message without it.

    Returns None if it sends none in time; then it is closed.
    """
    if (await receive())["type"] != "websocket.connect":
        return None
    await send({"type": "websocket.accept"})
    try:
        async with asyncio.timeout(SECONDS_UNTIL_FIRST_MESSAGE):
            message = await receive()
    except TimeoutError:
        message = {"type": "websocket.receive", "text": ""}
    if message["type"] != "websocket.receive":
        return None
    token, text = _taken_out(message.get("text") or "")
    if not token:
        await refuse(send)
        return None
    return token, {"type": "websocket.receive", "text": text}


async def refuse(send: Send) -> None:
    """Close a session that was accepted only to hear its token."""
    await send({"type": "websocket.close", "code": POLICY_VIOLATION})


def begun_again(message: Message, receive: Receive, send: Send) -> tuple[Receive, Send]:
    """Return `receive` and `send` for an app that hasn't seen how its session began."""
    before: list[Message] = [message, {"type": "websocket.connect"}]

    async def receive_again() -> Message:
        return before.pop() if before else await receive()

    async def send_but_accept(answer: Message) -> None:
        if answer["type"] != "websocket.accept":
            await send(answer)

    return receive_again, send_but_accept


def _taken_out(text: str) -> tuple[str, str]:
    """Return the token in a message and the message without it; "" if there is none."""
    if len(text) > MOST_CHARACTERS:
        return "", ""
    try:
        content: Any = json.loads(text)
    except (ValueError, RecursionError):
        return "", ""
    data = content.get("data") if isinstance(content, dict) else None
    token = data.pop(FIELD, None) if isinstance(data, dict) else None
    return (token, json.dumps(content)) if isinstance(token, str) else ("", "")
