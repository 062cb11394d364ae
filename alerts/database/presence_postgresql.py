"""Presence in a PostgreSQL database: an advisory lock for each executor."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from alerts.database.advisory_lock import AdvisoryLock
from alerts.database.errors import is_passing
from alerts.database.executor_ids import checked
from alerts.database.url import engine_for

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
        """See `Presence`."""
        self._lock = AdvisoryLock(self._engine, key_of(executor_id))
        await self._lock.take()

    async def dead(self, executor_ids: Collection[str]) -> set[str]:
        """See `Presence`: known after `grace_seconds`, in which nobody saw the lock held."""
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
        """See `Presence`."""
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
