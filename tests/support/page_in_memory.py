"""The Send page in memory, as a browser would use it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from shiny import Inputs, Outputs, Session, reactive
from shiny.testserver import AsyncTestServerSession
from shiny.testserver import test_server_async as serve_in_memory

from alerts import Alert, Desk
from dashboard import send
from dashboard.live_alert import LiveAlert

FORM: dict[str, Any] = {
    "channel": "call",
    "phone_number": "(412) 857-4309",
    "message": "Batch 1407 is off.",
    "voice": "alice",
    "language": "en-GB",
    "repeat": "3",
    "acknowledge": False,
    "voicemail": "",
    "tries": "1",
    "minutes_between_tries": 5,
    "then_text": False,
    "then_to": "",
    "quiet_hours": False,
}


class Page:
    """A page in memory, the alert that it shows, and the last change made to each input."""

    def __init__(
        self, session: AsyncTestServerSession, live: LiveAlert, changed: dict[str, dict[str, Any]]
    ) -> None:
        self.session = session
        self.changed = changed
        self._live = live

    @property
    def alert(self) -> Alert | None:
        with reactive.isolate():
            return self._live()


@asynccontextmanager
async def opened(desk: Desk, address: str = "") -> AsyncIterator[Page]:
    lives: list[LiveAlert] = []
    changed: dict[str, dict[str, Any]] = {}

    def server(input: Inputs, output: Outputs, session: Session) -> None:
        send_on = session.send_input_message

        def listen(id: str, message: dict[str, object]) -> None:
            changed[id.removeprefix("send-")] = message
            send_on(id, message)

        session.send_input_message = listen  # type: ignore[method-assign]
        lives.append(send.server("send", desk))

    visitor = {"url_search": address}
    # A busy machine may take long for the first flush.
    async with serve_in_memory(server, client_data=visitor, timeout_secs=60) as session:
        await fill_in(session, **FORM)
        yield Page(session, lives[0], changed)


async def fill_in(page: AsyncTestServerSession, **inputs: Any) -> None:
    await page.set_inputs(**{f"send-{name}": value for name, value in inputs.items()})
    await _until_taken(page)


async def press(page: AsyncTestServerSession, times: int = 1) -> None:
    await page.set_inputs(**{"send-send_test_call:shiny.action": times})
    await _until_taken(page)


async def _until_taken(page: AsyncTestServerSession) -> None:
    """Wait for the flush of inputs: `set_inputs` returns after any flush, of a task's too."""
    # The session has waited in line for the lock before this does.
    await _read_again(page)


async def _read_again(page: AsyncTestServerSession) -> None:
    """Read the page between flushes: within one, some outputs are new and others not yet."""
    async with reactive.lock():
        await page.flush()


def shown(page: AsyncTestServerSession, output: str) -> str:
    return str(page.get_output(f"send-{output}").value)


async def until(page: AsyncTestServerSession, condition: Callable[[], bool]) -> None:
    """Read the page again until the condition holds, for a minute at most."""
    async with asyncio.timeout(60):
        while True:
            await _read_again(page)
            if condition():
                break
            await asyncio.sleep(0.02)


def calls_at_twilio(desk: Desk) -> int:
    assert desk.services.simulator is not None
    return len(desk.services.simulator.exchange.calls)
