"""Which workers are alive: each holds a lock that is freed when its process dies.

Next to a SQLite file that is a locked file. In PostgreSQL it is an advisory lock on a connection of
its own. https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import re
import time
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
from filelock import FileLock, Timeout

from database.connecting import engine_for, parsed
from database.errors import in_words, is_passing

log = logging.getLogger(__name__)

# A PostgreSQL that restarts frees every lock; living workers take theirs again within seconds.
GRACE_SECONDS = 10.0
HEARTBEAT_SECONDS = 1.0
SECONDS_BETWEEN_LOCK_TRIES = 0.02

# With these settings the server notices after some 20 s that a machine vanished, not after 2 hours.
TAKE_LOCK = sa.text(
    "SELECT pg_try_advisory_lock(:key), set_config('tcp_keepalives_idle', '10', false),"
    " set_config('tcp_keepalives_interval', '5', false),"
    " set_config('tcp_keepalives_count', '2', false)"
)
# PostgreSQL shows a lock's number in two halves.
# https://www.postgresql.org/docs/current/view-pg-locks.html
LOCKS_HELD = sa.text(
    "SELECT pg_postmaster_start_time(), array("
    " SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks"
    " WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND database ="
    " (SELECT oid FROM pg_database WHERE datname = current_database()))"
)


class Liveness(Protocol):
    """The lock of this process's worker, and a look at the locks of others.

    A worker id is made of letters, digits, `-` and `.`, and belongs to one process only.
    """

    async def hold(self, worker_id: str) -> None:
        """Count as alive under this id until `release` or the end of this process.

        Call this before other processes can know the id. Waits while the database can't be reached.
        """

    async def dead(self, worker_ids: Collection[str]) -> set[str]:
        """Return those of `worker_ids` whose lock no process holds any more."""

    async def release(self) -> None:
        """Count as dead from now on."""


def liveness_of(database_url: str, grace_seconds: float = GRACE_SECONDS) -> Liveness:
    """Return the locks that belong to a database; `database_url` is as in DATABASE_URL.

    `grace_seconds` is how long a lock in PostgreSQL has to be free before its worker counts as
    dead. A locked file needs no grace: only death frees it. Raises `DatabaseError` for an
    unreadable URL.
    """
    url = parsed(database_url)
    if url.get_backend_name() == "sqlite":
        return LockedFiles(url)
    return AdvisoryLocks(url, grace_seconds)


# A FileLock unlocks when it is garbage collected, so these are referred to until released.
_held: set[FileLock] = set()


class LockedFiles:
    """Each worker locks a file of its own; the kernel unlocks it when the process ends."""

    def __init__(self, url: sa.URL) -> None:
        self._folder = Path(f"{url.database}.workers")
        self._lock: FileLock | None = None

    async def hold(self, worker_id: str) -> None:
        """See `Liveness`."""
        lock = self._lock_of(worker_id)
        # A process that checks whether this worker is dead locks the file for a moment.
        while not await asyncio.to_thread(self._take, lock):  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(SECONDS_BETWEEN_LOCK_TRIES)
        self._lock = lock
        _held.add(lock)

    async def dead(self, worker_ids: Collection[str]) -> set[str]:
        """See `Liveness`: known at once."""
        locks = {worker_id: self._lock_of(worker_id) for worker_id in worker_ids}
        if not locks:
            return set()
        return await asyncio.to_thread(
            lambda: {worker_id for worker_id, lock in locks.items() if _remove_if_free(lock)}
        )

    async def release(self) -> None:
        """See `Liveness`."""
        lock, self._lock = self._lock, None
        if lock is not None:
            await asyncio.to_thread(_remove, lock)
            _held.discard(lock)

    def _lock_of(self, worker_id: str) -> FileLock:
        # Not a soft lock: such a file would outlive its process and prove nothing.
        return FileLock(
            self._folder / f"{_checked(worker_id)}.lock",
            timeout=0,
            thread_local=False,
            fallback_to_soft=False,
        )

    def _take(self, lock: FileLock) -> bool:
        self._folder.mkdir(parents=True, exist_ok=True)
        return _acquired(lock)


def _acquired(lock: FileLock) -> bool:
    try:
        lock.acquire()
    except Timeout:
        return False
    return True


def _remove_if_free(lock: FileLock) -> bool:
    """Return whether no process holds the lock; its file is then removed."""
    if not Path(lock.lock_file).exists():
        return True
    if not _acquired(lock):
        return False
    _remove(lock)
    return True


def _remove(lock: FileLock) -> None:
    # Unlink before unlocking: afterward it might be a file that another process has locked.
    Path(lock.lock_file).unlink(missing_ok=True)
    lock.release()


class AdvisoryLocks:
    """Each worker has a lock whose number comes from its id. To look at locks takes none."""

    def __init__(self, url: sa.URL, grace_seconds: float) -> None:
        self._grace_seconds = grace_seconds
        # No transactions, because one that stays open keeps PostgreSQL from cleaning up.
        self._engine = engine_for(url, None).execution_options(isolation_level="AUTOCOMMIT")
        self._lock: AdvisoryLock | None = None
        self._server_started: datetime | None = None
        self._free_since: dict[str, float] = {}

    async def hold(self, worker_id: str) -> None:
        """See `Liveness`."""
        self._lock = AdvisoryLock(self._engine, key_of(worker_id))
        await self._lock.take()

    async def dead(self, worker_ids: Collection[str]) -> set[str]:
        """See `Liveness`: dead is a worker whose lock was seen free for `grace_seconds`."""
        if not worker_ids:
            return set()
        keys = {worker_id: key_of(worker_id) for worker_id in worker_ids}
        try:
            started, held = await asyncio.to_thread(self._look)
        except sa.exc.DBAPIError as error:
            if not is_passing(error):
                raise
            self._free_since.clear()
            return set()
        if started != self._server_started:
            # The server has restarted, which freed all locks: count the grace from now.
            self._free_since.clear()
            self._server_started = started
        now = time.monotonic()
        return {each for each, key in keys.items() if self._is_dead(each, key not in held, now)}

    async def release(self) -> None:
        """See `Liveness`."""
        if self._lock is not None:
            await self._lock.release()

    def _look(self) -> tuple[datetime, set[int]]:
        with self._engine.connect() as connection:
            started, held = connection.execute(LOCKS_HELD).one()
        return started, set(held)

    def _is_dead(self, worker_id: str, free: bool, now: float) -> bool:
        if not free:
            self._free_since.pop(worker_id, None)
            return False
        return now - self._free_since.setdefault(worker_id, now) >= self._grace_seconds


class AdvisoryLock:
    """The lock `key`, on a connection that is used for nothing else and ends with the process.

    If the connection is lost, and the lock with it, it connects and locks again as soon as it can.
    """

    def __init__(self, engine: sa.Engine, key: int) -> None:
        self._engine = engine
        self._key = key
        self._connection: sa.Connection | None = None
        self._lost = False
        self._taken = asyncio.Event()
        self._leaving = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    async def take(self) -> None:
        """Take the lock and keep it; waits while the server can't be reached."""
        self._keeper = asyncio.create_task(self._keep())
        await self._taken.wait()

    async def release(self) -> None:
        """Free the lock."""
        self._leaving.set()
        if self._keeper is not None:
            await self._keeper

    async def _keep(self) -> None:
        try:
            while not self._leaving.is_set():
                await asyncio.to_thread(self._beat)
                if self._connection is not None:
                    self._taken.set()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._leaving.wait(), HEARTBEAT_SECONDS)
        finally:
            self._taken.set()
            if self._connection is not None:
                self._connection.close()

    def _beat(self) -> None:
        """Check that the connection still works, or connect and lock again."""
        try:
            if self._connection is not None:
                self._connection.execute(sa.text("SELECT 1"))
                return
            connection = self._engine.connect()
            if not connection.execute(TAKE_LOCK, {"key": self._key}).scalar():
                # The server hasn't noticed yet that an earlier connection is gone.
                connection.close()
                return
        except sa.exc.SQLAlchemyError as error:
            if self._connection is not None:
                self._connection.invalidate()
                self._connection = None
            if not self._lost:
                self._lost = True
                log.warning("Others may take this process for dead: %s.", in_words(error))
            return
        self._connection = connection
        if self._lost:
            self._lost = False
            log.info("This process is known to be alive again.")


def key_of(worker_id: str) -> int:
    """Return the number of a worker's lock, a signed 64-bit integer."""
    digest = hashlib.sha256(f"callboard worker {_checked(worker_id)}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _checked(worker_id: str) -> str:
    """Return the id; raises ValueError for anything but letters, digits, `-` and `.`."""
    if not re.fullmatch(r"[A-Za-z0-9.-]+", worker_id):
        raise ValueError(f"{worker_id!r} is no worker id: use letters, digits, - and .")
    return worker_id
