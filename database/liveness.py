"""Names of the processes that deliver."""

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
from database.outages import in_words, is_passing


def checked(executor_id: str) -> str:
    """The id itself; ValueError for anything but letters, digits, `-` and `.`."""
    if not re.fullmatch(r"[A-Za-z0-9.-]+", executor_id):
        raise ValueError(f"{executor_id!r} is no executor id: use letters, digits, - and .")
    return executor_id


HEARTBEAT_SECONDS = 1.0

# The server lets go of a machine that vanished without a word after some 20 s, not two hours.
TAKE = sa.text(
    "SELECT pg_try_advisory_lock(:key), set_config('tcp_keepalives_idle', '10', false),"
    " set_config('tcp_keepalives_interval', '5', false),"
    " set_config('tcp_keepalives_count', '2', false)"
)
_log = logging.getLogger(__name__)


class AdvisoryLock:
    """The lock `key`, on a connection that is used for nothing else and ends with the process.

    When the connection is lost, and the lock with it, both are had again as soon as possible.
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
        """Take it and keep it; waits for a server that can't be reached."""
        self._keeper = asyncio.create_task(self._keep())
        await self._taken.wait()

    async def release(self) -> None:
        """Let it go."""
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
        """See that the connection is there, or make a new one and lock on it."""
        try:
            if self._connection is not None:
                self._connection.execute(sa.text("SELECT 1"))
                return
            connection = self._engine.connect()
            if not connection.execute(TAKE, {"key": self._key}).scalar():
                # The server has yet to notice that an earlier connection is gone.
                connection.close()
                return
        except sa.exc.SQLAlchemyError as error:
            if self._connection is not None:
                self._connection.invalidate()
                self._connection = None
            if not self._lost:
                self._lost = True
                _log.warning("This process isn't known to be alive: %s.", in_words(error))
            return
        self._connection = connection
        if self._lost:
            self._lost = False
            _log.info("This process is known to be alive again.")


SECONDS_BETWEEN_TRIES = 0.02

# A lock that nobody refers to unlocks itself; these are held until they are released.
_held: set[FileLock] = set()


class LockedFiles:
    """Each executor locks a file of its own; the kernel unlocks it when the process ends."""

    def __init__(self, url: sa.URL) -> None:
        self._folder = Path(f"{url.database}.executors")
        self._lock: FileLock | None = None

    async def hold(self, executor_id: str) -> None:
        """See `Liveness`."""
        lock = self._lock_of(executor_id)
        # Whoever looks whether it is dead has it locked for a moment.
        while not await asyncio.to_thread(self._taken, lock):  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(SECONDS_BETWEEN_TRIES)
        self._lock = lock
        _held.add(lock)

    async def dead(self, executor_ids: Collection[str]) -> set[str]:
        """See `Liveness`: known at once."""
        locks = {executor_id: self._lock_of(executor_id) for executor_id in executor_ids}
        return await asyncio.to_thread(
            lambda: {executor_id for executor_id, lock in locks.items() if _buried(lock)}
        )

    async def release(self) -> None:
        """See `Liveness`."""
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


# A server that restarts lets go of every lock; the living take theirs again within seconds.
GRACE_SECONDS = 10.0

# A lock's number is kept in halves. https://www.postgresql.org/docs/current/view-pg-locks.html
LOOK = sa.text(
    "SELECT pg_postmaster_start_time(), array("
    " SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks"
    " WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND database ="
    " (SELECT oid FROM pg_database WHERE datname = current_database()))"
)


class LockedKeys:
    """Each executor has a lock whose number comes from its id. Looking at locks takes none."""

    def __init__(self, url: sa.URL, grace_seconds: float) -> None:
        self._grace_seconds = grace_seconds
        # No transactions: a connection that idles in one is in the database's way.
        self._engine = engine_for(url, None).execution_options(isolation_level="AUTOCOMMIT")
        self._lock: AdvisoryLock | None = None
        self._server_started: datetime | None = None
        self._free_since: dict[str, float] = {}

    async def hold(self, executor_id: str) -> None:
        """See `Liveness`."""
        self._lock = AdvisoryLock(self._engine, key_of(executor_id))
        await self._lock.take()

    async def dead(self, executor_ids: Collection[str]) -> set[str]:
        """See `Liveness`: known after `grace_seconds`, in which nobody saw the lock held."""
        keys = {executor_id: key_of(executor_id) for executor_id in executor_ids}
        try:
            started, locked = await asyncio.to_thread(self._look)
        except sa.exc.DBAPIError as error:
            if not is_passing(error):
                raise
            self._free_since.clear()
            return set()
        if started != self._server_started:
            # Seen free before a restart says nothing: it may have been taken again since.
            self._free_since.clear()
            self._server_started = started
        now = time.monotonic()
        return {each for each, key in keys.items() if self._is_dead(each, key not in locked, now)}

    async def release(self) -> None:
        """See `Liveness`."""
        if self._lock is not None:
            await self._lock.release()

    def _look(self) -> tuple[datetime, set[int]]:
        with self._engine.connect() as connection:
            started, locked = connection.execute(LOOK).one()
        return started, set(locked)

    def _is_dead(self, executor_id: str, free: bool, now: float) -> bool:
        if not free:
            self._free_since.pop(executor_id, None)
            return False
        return now - self._free_since.setdefault(executor_id, now) >= self._grace_seconds


def key_of(executor_id: str) -> int:
    """The number of an executor's lock: 64 bits, with a sign."""
    digest = hashlib.sha256(f"callboard executor {checked(executor_id)}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


class Liveness(Protocol):
    """One process's own lock, and a look at those of others.

    An executor id is made of letters, digits, `-` and `.`, and belongs to one process only.
    """

    async def hold(self, executor_id: str) -> None:
        """Be there under this id from now on, until `release` or the end of this process.

        Hold an id before anybody can learn of it. Waits for a database that can't be reached.
        """

    async def dead(self, executor_ids: Collection[str]) -> set[str]:
        """Those of `executor_ids` that nobody holds any more."""

    async def release(self) -> None:
        """Be gone."""


def liveness_of(database_url: str, grace_seconds: float = GRACE_SECONDS) -> Liveness:
    """The presence kept beside a database, `database_url` as in DATABASE_URL.

    `grace_seconds` is how long an executor has to be absent from PostgreSQL, which lets go of the
    locks of the living too when it restarts. A file is let go of by the dead alone.

    Raises `DatabaseError` for a URL that can't be read.
    """
    url = parsed(database_url)
    if url.get_backend_name() == "sqlite":
        return LockedFiles(url)
    return LockedKeys(url, grace_seconds)
