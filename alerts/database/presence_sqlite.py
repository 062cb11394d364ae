"""Presence beside a SQLite database: a locked file for each executor."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from pathlib import Path

import sqlalchemy as sa
from filelock import FileLock, Timeout

from alerts.database.executor_ids import checked

SECONDS_BETWEEN_TRIES = 0.02

# A lock that nobody refers to unlocks itself; these are held until they are released.
_held: set[FileLock] = set()


class LockedFiles:
    """Each executor locks a file of its own; the kernel unlocks it when the process ends."""

    def __init__(self, url: sa.URL) -> None:
        self._folder = Path(f"{url.database}.executors")
        self._lock: FileLock | None = None

    async def hold(self, executor_id: str) -> None:
        """See `Presence`."""
        lock = self._lock_of(executor_id)
        # Whoever looks whether it is dead has it locked for a moment.
        while not await asyncio.to_thread(self._taken, lock):  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(SECONDS_BETWEEN_TRIES)
        self._lock = lock
        _held.add(lock)

    async def dead(self, executor_ids: Collection[str]) -> set[str]:
        """See `Presence`: known at once."""
        locks = {executor_id: self._lock_of(executor_id) for executor_id in executor_ids}
        return await asyncio.to_thread(
            lambda: {executor_id for executor_id, lock in locks.items() if _buried(lock)}
        )

    async def release(self) -> None:
        """See `Presence`."""
        lock, self._lock = self._lock, None
        if lock is not None:
            await asyncio.to_thread(_remove, lock)
            _held.discard(lock)

    def _lock_of(self, executor_id: str) -> FileLock:
        # Without the kernel's locks, a file would outlive its process and tell nothing.
        return FileLock(
            self._folder / f"{checked(executor_id)}.lock",
            timeout=0,
            thread_local=False,
            fallback_to_soft=False,
        )

    def _taken(self, lock: FileLock) -> bool:
        self._folder.mkdir(parents=True, exist_ok=True)
        return _acquired(lock)


def _acquired(lock: FileLock) -> bool:
    try:
        lock.acquire()
    except Timeout:
        return False
    return True


def _buried(lock: FileLock) -> bool:
    """Whether nobody holds it; then its file is gone."""
    if not Path(lock.lock_file).exists():
        return True
    if not _acquired(lock):
        return False
    _remove(lock)
    return True


def _remove(lock: FileLock) -> None:
    # In this order: a file that somebody else had locked since would be removed otherwise.
    Path(lock.lock_file).unlink(missing_ok=True)
    lock.release()
