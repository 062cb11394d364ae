"""Which executors are alive: each process that delivers holds a lock that dies with it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from alerts.database.presence_postgresql import GRACE_SECONDS, LockedKeys
from alerts.database.presence_sqlite import LockedFiles
from alerts.database.url import parsed


class Presence(Protocol):
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


def presence_of(database_url: str, grace_seconds: float = GRACE_SECONDS) -> Presence:
    """The presence kept beside a database, `database_url` as in DATABASE_URL.

    `grace_seconds` is how long an executor has to be absent from PostgreSQL, which lets go of the
    locks of the living too when it restarts. A file is let go of by the dead alone.

    Raises `DatabaseError` for a URL that can't be read.
    """
    url = parsed(database_url)
    if url.get_backend_name() == "sqlite":
        return LockedFiles(url)
    return LockedKeys(url, grace_seconds)
