"""Opening a database: reached, writable, its tables up to date."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from database import DatabaseError
from database.connecting import (
    SQLITE_BUSY_SECONDS,
    engine_for,
    parsed,
    place_of,
    run_outside_transactions,
)
from database.group_commit import Result, Work, WritingQueue, commit_together, read
from database.migrations import bring_up_to_date, check_that_it_can_be_written
from database.outages import Outage, in_words


def opened(url: sa.URL, connections: int) -> sa.Engine:
    """An engine of so many connections for a database that is ready for work.

    Raises `DatabaseError`: one sentence that names DATABASE_URL.
    """
    engine = engine_for(url, connections)
    try:
        if url.get_backend_name() == "sqlite":
            _make_file(url, engine)
        bring_up_to_date(engine)
        check_that_it_can_be_written(engine)
    except (sa.exc.SQLAlchemyError, sqlite3.Error, OSError) as error:
        problem = unusable(url, error)
    else:
        return engine
    engine.dispose()
    # Outside of the block: the error that it caught would be shown, and may hold the password.
    raise problem


def unusable(url: sa.URL, error: Exception) -> DatabaseError:
    """The sentence about a database that can't be used, to be raised where `error` isn't seen."""
    reason = in_words(error)
    if url.password:
        reason = reason.replace(url.password, "***")
    return DatabaseError(f"DATABASE_URL names {place_of(url)}, which can't be used: {reason}.")


def _make_file(url: sa.URL, engine: sa.Engine) -> None:
    """Make the file and its folder, and let readers and a writer work side by side (WAL)."""
    file = Path(str(url.database))
    # Not the folders above: in a mistyped path there would be an empty history.
    file.parent.mkdir(exist_ok=True)
    give_up = time.monotonic() + SQLITE_BUSY_SECONDS
    while True:
        try:
            with engine.connect() as connection:
                run_outside_transactions(connection, "PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # The one thing that doesn't wait for other processes by itself.
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > give_up:
                raise
        time.sleep(0.05)


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
