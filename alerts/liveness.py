"""Which workers are alive: each writes into the database, every two seconds, that it is.

Any process can judge that at once, by the database's clock, from another machine or through a
connection pooler. A process that hangs counts as dead too. If it ever goes on, it sends nothing
twice: each request is saved before it is made, and nobody else's is made again.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from alerts.services import Mode
from alerts.tables import workers
from database.clock import database_time
from database.database import Database

# A busy machine may delay a heartbeat by seconds. A worker that is wrongly taken for dead does no
# harm, but its alerts are then followed by two processes.
DEAD_AFTER_SECONDS = 10.0

# Built once, for building takes as long as running.
_BEATS: dict[str, Any] = {
    "sqlite": sqlite.insert(workers),
    "postgresql": postgresql.insert(workers),
}
BEAT = {
    name: each.on_conflict_do_update(
        index_elements=[workers.c.id], set_={"seen_at": each.excluded.seen_at}
    )
    for name, each in _BEATS.items()
}
KNOWN = sa.select(workers.c.id, workers.c.mode, workers.c.seen_at).where(
    workers.c.account_sid == sa.bindparam("account")
)


class Liveness:
    """The heartbeats of one account's workers."""

    def __init__(self, database: Database, account_sid: str) -> None:
        self._database = database
        self._account_sid = account_sid
        self._last_beat: float | None = None
        self._judges_from = 0.0

    async def beat(self, worker_id: str, mode: Mode) -> None:
        """Count this process's worker as alive for DEAD_AFTER_SECONDS from now on.

        Waits while the database can't be reached.
        """

        def beat(connection: sa.Connection) -> None:
            now = database_time(connection)
            row = {"id": worker_id, "account_sid": self._account_sid, "mode": mode}
            connection.execute(
                BEAT[connection.dialect.name], row | {"started_at": now, "seen_at": now}
            )

        await self._database.write(beat)
        now = time.monotonic()
        if self._last_beat is not None and now - self._last_beat > DEAD_AFTER_SECONDS / 2:
            # The database was away, or this process stood still. Other workers may have been kept
            # from writing as well, so give them time for it.
            self._judges_from = now + DEAD_AFTER_SECONDS
        self._last_beat = now

    async def alive(self) -> dict[str, str]:
        """The mode of each worker that is alive, by its id."""
        return {worker_id: mode for worker_id, mode, is_alive in await self._all() if is_alive}

    async def dead(self, claiming: Collection[str]) -> set[str]:
        """Return the workers that are dead, among all known ones and those in `claiming`.

        A worker is known before it claims anything, so read `claiming` before. Empty for a while
        after this process itself couldn't write its heartbeat.
        """
        if time.monotonic() < self._judges_from:
            return set()
        known = {worker_id: is_alive for worker_id, _, is_alive in await self._all()}
        return {each for each in {*known, *claiming} if not known.get(each)}

    async def _all(self) -> list[tuple[str, str, bool]]:
        def read(connection: sa.Connection) -> list[tuple[str, str, bool]]:
            now = database_time(connection)
            return [
                # A heartbeat far in the future was written before the clock was set back.
                (row.id, row.mode, abs(now - row.seen_at) <= DEAD_AFTER_SECONDS)
                for row in connection.execute(KNOWN, {"account": self._account_sid})
            ]

        return await self._database.read(read)
