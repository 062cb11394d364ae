"""Threads for uploads, because boto3 and ftplib block and an event loop must not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


class UploadThreads:
    """A pool of threads in which every task has a deadline.

    asyncio's own pool would not do: it has only a few threads, and everything else shares them.
    """

    def __init__(self, threads: int, deadline_seconds: float) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="storage")
        self._deadline_seconds = deadline_seconds

    async def run(self, task: Callable[[], Result]) -> Result:
        """Run `task` and return its result. Raise TimeoutError if it runs past the deadline.

        Waiting for a free thread does not count, so that a long queue is not a failure.
        """
        loop = asyncio.get_running_loop()
        started = asyncio.Event()

        def start() -> Result:
            loop.call_soon_threadsafe(started.set)
            return task()

        running = self._pool.submit(start)
        try:
            await started.wait()
        except asyncio.CancelledError:
            running.cancel()
            raise
        return await asyncio.wait_for(asyncio.wrap_future(running), self._deadline_seconds)

    def close(self) -> None:
        """Accept no more tasks, and let running ones finish."""
        self._pool.shutdown(wait=False)
