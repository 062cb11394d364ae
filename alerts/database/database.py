"""The database that remembers: SQLite or PostgreSQL, behind one door."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import sqlalchemy as sa

from alerts.database.opening import opened
from alerts.database.outage import Outage
from alerts.database.transactions import Result, Work, commit_together, read
from alerts.database.url import parsed, place_of
from alerts.database.writing_queue import WritingQueue
from alerts.errors import DatabaseError

READERS = 4
CLOSING_SECONDS = 5.0


class Database:
    """One database, SQLite or PostgreSQL, for use from one event loop.

    Work runs in threads, so the loop never waits. A database that can't be reached any more is
    waited for, however long that takes.
    """

    def __init__(self, url: str) -> None:
        """`url` is as in DATABASE_URL; opens nothing yet. Raises `DatabaseError`."""
        self._url = parsed(url)
        self._engine: sa.Engine | None = None
        self._closed = False
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="database-reader")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="database-writer")
        self._queue = WritingQueue[Work[Any]](self._commit)
        self._outage = Outage(place_of(self._url))

    def __repr__(self) -> str:
        return f"<Database: {place_of(self._url)}>"

    @property
    def url(self) -> str:
        """The URL with its password and the whole path of its file: never print or log it."""
        return self._url.render_as_string(hide_password=False)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file of this machine."""
        return self._url.get_backend_name() == "sqlite"

    async def open(self) -> None:
        """Check that it can be reached and written, and bring its tables up to date.

        Raises `DatabaseError`: one sentence that names DATABASE_URL.
        """
        self._engine = await _run(self._writer, partial(opened, self._url, READERS + 1))

    async def read(self, work: Work[Result]) -> Result:
        """What `work` finds; what it changes is undone. It may run more than once.

        Raises what `work` raises, and `DatabaseError` before `open` and after `close`.
        """
        return await self._outage.outlast(
            lambda: _run(self._readers, partial(read, self._usable(), work))
        )

    async def write(self, work: Work[Result]) -> Result:
        """What `work` returned, once its changes are on the disk.

        `work` shares a transaction with others' work, so it neither commits nor rolls back. It must
        be repeatable, done twice the same as done once: it runs again when the answer to a commit
        was lost, and when other work in the transaction failed. If it raises, it alone is undone.

        Raises what `work` raises, and `DatabaseError` before `open` and after `close`. A caller
        that is cancelled may find it done.
        """
        self._usable()
        result: Result = await self._queue.write(work)
        return result

    async def close(self) -> None:
        """Finish what was handed in, then close. A database that is away isn't waited for long."""
        self._closed = True
        await self._queue.close(CLOSING_SECONDS)
        ending = asyncio.create_task(asyncio.to_thread(self._end))
        await asyncio.wait({ending}, timeout=CLOSING_SECONDS)

    def _end(self) -> None:
        for threads in (self._readers, self._writer):
            threads.shutdown()
        if self._engine is not None:
            self._engine.dispose()

    async def _commit(self, works: Sequence[Work[Any]]) -> list[Any]:
        # What was handed in before `close` is finished.
        return await self._outage.outlast(
            lambda: _run(self._writer, partial(commit_together, self._opened(), works))
        )

    def _usable(self) -> sa.Engine:
        if self._closed:
            raise DatabaseError("The database is closed.")
        return self._opened()

    def _opened(self) -> sa.Engine:
        if self._engine is None:
            raise DatabaseError("The database isn't open yet.")
        return self._engine


def _run(threads: ThreadPoolExecutor, work: Callable[[], Result]) -> asyncio.Future[Result]:
    return asyncio.get_running_loop().run_in_executor(threads, work)
