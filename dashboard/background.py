"""Work that a page does in the background without waiting for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from alerts import DatabaseError

log = logging.getLogger(__name__)


def in_background(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """Start some work and return its task, to be canceled with the page.

    Errors in it are logged; asyncio would report them only when the task is garbage-collected. Keep
    a reference to the task, because asyncio keeps none.
    https://docs.python.org/3/library/asyncio-dev.html#detect-never-retrieved-exceptions
    """
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_log_failure)
    return task


def _log_failure(task: asyncio.Task[None]) -> None:
    error = None if task.cancelled() else task.exception()
    if isinstance(error, DatabaseError):
        # A page may outlive its desk for a moment, when the server stops.
        log.warning("Stopped %s. %s", task.get_name(), error)
    elif error is not None:
        log.error("Callboard failed at %s", task.get_name(), exc_info=error)
