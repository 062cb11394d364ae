"""The tasks of one visitor's page, for everything that waits for the database or the network.

Waiting inside a flush of Shiny's would freeze all visitors meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

from shiny import Session

from alerts.log_lines import LimitedLog
from dashboard.background import in_background

log = LimitedLog(__name__)

# A person doesn't press this many buttons before the first has done its work.
MOST_TASKS = 100

# What the press of a button calls: with the id of a record, a value, and the fields of a form.
Action = Callable[[str, str, dict[str, Any]], Awaitable[None]]


class VisitTasks:
    """Runs what a visitor asks for. `say` shows a sentence; `sentence_of` makes one of an error."""

    def __init__(
        self,
        session: Session,
        say: Callable[[str], Awaitable[None]],
        sentence_of: Callable[[Exception], str],
    ) -> None:
        self._say = say
        self._sentence_of = sentence_of
        self._running: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()
        session.on_ended(self._stop)

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` until it ends, or the session does.

        With MOST_TASKS under way it is left out: a program that sends on and on would fill the
        memory with what waits.
        """
        if len(self._running) >= MOST_TASKS:
            work.close()
            log.warning("Left out what a page asked for: too much of it is waiting already.")
            return
        task = in_background(work, "what a visitor asked for")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def do(self, action: Action, record: str, value: str, fields: dict[str, Any]) -> None:
        """Run an action once those before it are done. Errors are shown on the page."""
        try:
            async with self._turn:
                await action(record, value, fields)
        except Exception as error:  # noqa: BLE001 - said on the page, whatever it is
            await self._say(self._sentence_of(error))

    async def keep_looking(
        self,
        look: Callable[[], Awaitable[None]],
        show_problem: Callable[[str], Awaitable[None]],
        *,
        in_sight: asyncio.Event,
        again: asyncio.Event,
        seconds: float,
    ) -> None:
        """Call `look` every `seconds` while the page is `in_sight`, and at once on `again`."""
        while True:
            await in_sight.wait()
            again.clear()
            try:
                await look()
            except Exception as error:  # noqa: BLE001 - said in the place of what it looks for
                await show_problem(self._sentence_of(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await again.wait()

    def _stop(self) -> None:
        for task in self._running:
            task.cancel()
