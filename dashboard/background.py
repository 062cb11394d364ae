"""Work that a page does in the background, showing what came of it, and saying why it failed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

from shiny import reactive

from access.actor import NotAllowed
from alerts import DatabaseError

log = logging.getLogger(__name__)

# `until_shown` waits this often for Shiny's lock. The first time, changes that were waiting for it
# are shown, and then those that came meanwhile.
TIMES_IN_LINE = 3

# Beside Shiny's lock: the task that holds this one is the next that may show something. A process
# has one of each, but tests have many.
_turns: WeakKeyDictionary[asyncio.Lock, asyncio.Lock] = WeakKeyDictionary()


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
    """Do the same with what a function returns; it is called again once it is this task's turn.

    Shiny's lock is first come, first served. Tasks wait for one another before they wait for it, so
    a visitor who types waits for one of them at most, even if ten alerts change at once.
    """
    if not _changed(values):
        return  # usually nothing has changed: then don't wait in line
    line = reactive.lock()
    async with _turns.setdefault(line, asyncio.Lock()), line:
        changed = _changed(values)
        for each, to in changed.items():
            each.set(to)
        if changed:
            await reactive.flush()


def _changed(
    values: Callable[[], Mapping[reactive.Value[Any], object]],
) -> dict[reactive.Value[Any], object]:
    # A task has the reactive context of the effect that began it, which mustn't depend on these.
    with reactive.isolate():
        return {each: to for each, to in values().items() if each() != to}


async def until_shown(seconds: float) -> None:
    """Wait until pages show what visitors have just done, but no longer than `seconds`.

    That is once it has waited in line for Shiny's lock several times. It doesn't wait until the
    line is empty, which may take long while many alerts change.
    """
    line = reactive.lock()
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            for _ in range(TIMES_IN_LINE):
                async with line:
                    pass


def failure_sentence(error: BaseException) -> str:
    """Say in a sentence why the desk failed, and log what only the person who runs it can fix."""
    if isinstance(error, DatabaseError | NotAllowed):
        return str(error)
    log.error("Callboard failed", exc_info=error)
    return "Callboard failed. Its log says why."


def _log_failure(task: asyncio.Task[None]) -> None:
    error = None if task.cancelled() else task.exception()
    if isinstance(error, DatabaseError):
        # A page may outlive its desk for a moment, when the server stops.
        log.warning("Stopped %s. %s", task.get_name(), error)
    elif error is not None:
        log.error("Callboard failed at %s", task.get_name(), exc_info=error)
