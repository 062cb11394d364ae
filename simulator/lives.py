"""The running lives of calls and texts: one task of the event loop each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine

from simulator.models.call import Call
from simulator.models.message import Message

logger = logging.getLogger(__name__)


class Lives:
    """Starts and stops what takes a call or a text on; each has one life at a time."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, record: Call | Message, life: Coroutine[object, object, None]) -> None:
        """Run `life` in the background; `record` fails if it breaks."""
        task: asyncio.Task[None] = asyncio.create_task(life)
        self._tasks[record.sid] = task
        task.add_done_callback(lambda done: self._finished(record, done))

    def stop(self, record: Call | Message) -> None:
        """Give up the life that runs, if one does."""
        task = self._tasks.pop(record.sid, None)
        if task is not None:
            task.cancel()

    def _finished(self, record: Call | Message, task: asyncio.Task[None]) -> None:
        if self._tasks.get(record.sid) is task:
            del self._tasks[record.sid]
        if task.cancelled() or (error := task.exception()) is None:
            return
        logger.error("The simulator lost %s to a defect of its own.", record.sid, exc_info=error)
        if isinstance(record, Call):
            record.end("failed")
        elif not record.is_over:
            record.become("failed", error_code=30008)
