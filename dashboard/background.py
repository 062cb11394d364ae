"""Work that a page does in the background, and showing what came of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from shiny import reactive

from alerts import DatabaseError

log = logging.getLogger(__name__)

# Of each event loop, of which an app has one: who of the tasks may show something now.
_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


def in_background(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """Start some work and return its task, to be canceled with the page.

    Errors in it are logged; asyncio would report them only when the task is garbage-collected. Keep
    a reference to the task, because asyncio keeps none.
    https://docs.python.org/3/library/asyncio-dev.html#detect-never-retrieved-exceptions
    """
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_log_failure)
    return task


async def show(values: Mapping[reactive.Value[Any], object]) -> None:
    """Set reactive values from within a task, and update the pages that show them.

    Nothing happens if they are all as they were.
    """
    await show_newest(lambda: values)


async def show_newest(values: Callable[[], Mapping[reactive.Value[Any], object]]) -> None:
    """Do the same with the values that a function returns when nothing else is being shown.

    Shiny's lock goes to whoever has waited longest. Tasks wait for one another before they wait for
    it, so a visitor who types waits for one of them at most, even if ten alerts change at once.
    """
    turn = _turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())
    async with turn, reactive.lock():
        with reactive.isolate():
            changed = {each: to for each, to in values().items() if each() != to}
        for each, to in changed.items():
            each.set(to)
        if changed:
            await reactive.flush()


async def until_shown() -> None:
    """Wait until the pages show all that visitors have done and all that they are told by now."""
    async with reactive.lock():
        pass


def _log_failure(task: asyncio.Task[None]) -> None:
    error = None if task.cancelled() else task.exception()
    if isinstance(error, DatabaseError):
        # A page may outlive its desk for a moment, when the server stops.
        log.warning("Stopped %s. %s", task.get_name(), error)
    elif error is not None:
        log.error("Callboard failed at %s", task.get_name(), exc_info=error)
