"""A PostgreSQL advisory lock that a process keeps for as long as it lives.

https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

import sqlalchemy as sa

from alerts.database.errors import in_words

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
