"""Processes that hold a worker's lock, to be killed in tests."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from database.liveness import Liveness

HOLD = """
import asyncio, sys
from database.liveness import liveness_of

async def main():
    await liveness_of(sys.argv[1]).hold(sys.argv[2])
    print("held", flush=True)
    await asyncio.sleep(3600)

asyncio.run(main())
"""


@contextmanager
def workers(database_url: str, *worker_ids: str) -> Iterator[tuple[subprocess.Popen[str], ...]]:
    """A process for each of `worker_ids`, which holds its lock."""
    processes = tuple(
        subprocess.Popen(
            [sys.executable, "-c", HOLD, database_url, each], stdout=subprocess.PIPE, text=True
        )
        for each in worker_ids
    )
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def kill(process: subprocess.Popen[str]) -> None:
    """End a process with SIGKILL."""
    process.kill()
    process.wait(10)


async def dead_at_last(watcher: Liveness, *worker_ids: str) -> set[str]:
    """Wait until at least one of the workers counts as dead; returns all that do."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if dead := await watcher.dead(worker_ids):
            return dead
        await asyncio.sleep(0.05)
    raise AssertionError("no worker counts as dead")
