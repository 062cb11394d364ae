"""Open sessions of the pages, which end with the sign-in that they belong to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from access.sign_in import SignIn
from access.users import UsersError
from alerts import DatabaseError
from alerts.log_lines import LimitedLog
from dashboard.background import in_background

if TYPE_CHECKING:
    from access.sessions import SignedIn

log = LimitedLog(__name__)

SECONDS_BETWEEN_LOOKS = 3.0
POLICY_VIOLATION = 1008
# The page's script sends this input when the visitor presses a key or a button.
ACTIVITY = '"callboard_activity'
# Makes the page load again, which leads to the sign-in page.
SIGNED_OUT = json.dumps({"custom": {"callboard-signed-out": {}}})


class OpenSessions:
    """Serves sessions until they are over, or their sign-in is."""

    def __init__(self, sign_in: SignIn) -> None:
        self._sign_in = sign_in
        self._open: dict[SignedIn, set[asyncio.Event]] = {}
        self._watching: asyncio.Task[None] | None = None

    def end(self, signed_in: SignedIn) -> None:
        """End the sessions of a sign-in right now."""
        for ended in self._open.get(signed_in, ()):
            ended.set()

    async def serve(
        self, app: ASGIApp, scope: Scope, receive: Receive, send: Send, signed_in: SignedIn
    ) -> None:
        """Serve one session. https://asgi.readthedocs.io/en/latest/specs/www.html#websocket"""
        with self._opened(signed_in) as ended:
            ending = asyncio.create_task(ended.wait())
            receiving: asyncio.Task[Message] | None = None
            is_closed = False

            async def send_until_ended(message: Message) -> None:
                if not is_closed:
                    await send(message)

            async def receive_until_ended() -> Message:
                nonlocal receiving, is_closed
                if is_closed:
                    return {"type": "websocket.disconnect", "code": POLICY_VIOLATION}
                if receiving is None:
                    receiving = asyncio.ensure_future(receive())
                await asyncio.wait({receiving, ending}, return_when=asyncio.FIRST_COMPLETED)
                if ending.done():
                    is_closed = True
                    await _close(send)
                    return {"type": "websocket.disconnect", "code": POLICY_VIOLATION}
                message, receiving = receiving.result(), None
                if ACTIVITY in (message.get("text") or ""):
                    await self._note_activity(signed_in)
                return message

            try:
                await app(scope, receive_until_ended, send_until_ended)
            finally:
                for task in filter(None, (ending, receiving)):
                    task.cancel()

    async def _note_activity(self, signed_in: SignedIn) -> None:
        try:
            await self._sign_in.touch(signed_in)
        except (DatabaseError, TimeoutError) as problem:
            log.warning(f"Can't save that a visitor is active: {problem}")

    @contextmanager
    def _opened(self, signed_in: SignedIn) -> Iterator[asyncio.Event]:
        ended = asyncio.Event()
        self._open.setdefault(signed_in, set()).add(ended)
        if self._watching is None or self._watching.done():
            self._watching = in_background(self._watch(), "watching sign-ins")
        try:
            yield ended
        finally:
            self._open[signed_in].discard(ended)
            if not self._open[signed_in]:
                del self._open[signed_in]

    async def _watch(self) -> None:
        """While any session is open, end those whose sign-in has ended: one look for all."""
        while self._open:
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
            try:
                for signed_in in await self._sign_in.ended(list(self._open)):
                    self.end(signed_in)
            except (DatabaseError, UsersError) as problem:
                # No one can sign in meanwhile, but open sessions may go on.
                log.warning(f"Can't tell whether sign-ins have ended: {problem}")
            except Exception as problem:  # noqa: BLE001 - or nobody would be signed out any more
                name = type(problem).__name__
                log.warning(f"Can't tell whether sign-ins have ended: {name}. Looking again.")


async def _close(send: Send) -> None:
    # The connection may be gone already.
    with suppress(RuntimeError, OSError):
        await send({"type": "websocket.send", "text": SIGNED_OUT})
        await send({"type": "websocket.close", "code": POLICY_VIOLATION})
