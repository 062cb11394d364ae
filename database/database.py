"""Database: reading from SQLite or PostgreSQL, and writing with group commits.

A group commit writes everything that is waiting to be written in one transaction.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any, TypeVar

import sqlalchemy as sa

from database import DatabaseError, NewerDatabase
from database.connecting import parsed, place_of, without_secrets
from database.errors import in_words, is_passing, was_ended
from database.opening import OpenDatabase, check_still_usable, open_database
from database.transactions import (
    SHORTEST_LIMIT_SECONDS,
    allow_long_transaction,
    begin_writing,
    check_revision,
    reading,
)

Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[sa.Connection], Result]
# Work on many items at once; returns the outcome of each.
WorkOnMany = Callable[[sa.Connection, Sequence[Item]], Sequence[Any]]

READER_THREADS = 4
CLOSE_TIMEOUT_SECONDS = 5.0
# With more writes in one transaction, the first ones would wait too long.
MOST_WRITES_PER_TRANSACTION = 200
FIRST_RETRY_SECONDS = 0.1
LONGEST_RETRY_SECONDS = 2.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Failed:
    """The outcome of work that raised `error`. Any other outcome is what the work returned."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Write:
    """An item that waits to be written by `work`, and the future that gets its outcome."""

    work: WorkOnMany[Any]
    item: Any
    outcome: asyncio.Future[Any]


class Database:
    """One SQLite or PostgreSQL database, for use from one event loop.

    Work runs in threads, so the loop never blocks. If an open database can't be reached any more,
    reads and writes wait until it can, however long that takes. Once a newer Callboard has migrated
    it, every write raises `NewerDatabase`, and so do reads that no longer work.
    """

    def __init__(self, url: str, tables: sa.MetaData | None = None) -> None:
        """Take a `url` as in DATABASE_URL; opens nothing yet. Raises `DatabaseError`.

        `tables` are those that the database must have once it is open.
        """
        self._url = parsed(url)
        self._tables = tables or sa.MetaData()
        self._opened: OpenDatabase | None = None
        self._newer = asyncio.Event()
        self._closed = False
        self._readers = ThreadPoolExecutor(READER_THREADS, thread_name_prefix="database-reader")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="database-writer")
        self._waiting: deque[Write] = deque()
        self._writing: asyncio.Task[None] | None = None
        self._is_away = False

    def __repr__(self) -> str:
        return f"<Database: {place_of(self._url)}>"

    async def open(self) -> None:
        """Check that the database can be reached and written to, and bring its tables up to date.

        Raises `DatabaseError`: one sentence that names DATABASE_URL.
        """
        self._opened = await _run(
            self._writer, partial(open_database, self._url, READER_THREADS + 1, self._tables)
        )

    async def check(self) -> None:
        """Raise `DatabaseError` unless the open database can be read and written right now."""
        try:
            await asyncio.to_thread(check_still_usable, self._require_open(), self._tables)
        except NewerDatabase:
            self._newer.set()
            raise

    async def until_newer(self) -> None:
        """Wait until a write or a check has found that a newer Callboard has changed the tables."""
        await self._newer.wait()

    async def read(self, work: Work[Result]) -> Result:
        """Return what `work` returns; changes that it makes are undone. It may run more than once.

        Raises what `work` raises, and `DatabaseError` before `open` and after `close`.
        """

        def attempt() -> asyncio.Future[Result]:
            self._refuse_if_closed()
            return _run(self._readers, partial(self._read, work))

        return await self._outlast(attempt)

    async def write(self, work: Work[Result]) -> Result:
        """Return what `work` returned, once its changes are on the disk.

        `work` shares a transaction with other work, so it must neither commit nor roll back. It
        must be idempotent: it runs again if the answer to a commit was lost, and if other work in
        the transaction failed. If it raises, only its own changes are undone.

        Raises what `work` raises, and `DatabaseError` before `open` and after `close`. If the
        caller is canceled, the work may be done all the same.
        """
        result: Result = await self.write_together(_each, work)
        return result

    async def write_together(self, work: WorkOnMany[Item], item: Item) -> Any:
        """Write `item` with `work`, as `write` does, and return the item's outcome.

        `work` is called once with the items of all callers that wait with it one after another, and
        returns their outcomes in the same order. If it raises, it runs again with each item alone.
        """
        self._refuse_if_closed()
        self._require_open()
        outcome: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(Write(work, item, outcome))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        return await outcome

    async def close(self) -> None:
        """Finish the writes that are waiting, then close; neither waits for long."""
        self._closed = True
        if self._writing and not self._writing.done():
            await asyncio.wait({self._writing}, timeout=CLOSE_TIMEOUT_SECONDS)
            self._writing.cancel()
            await asyncio.wait({self._writing})
        ending = asyncio.create_task(asyncio.to_thread(self._end))
        await asyncio.wait({ending}, timeout=CLOSE_TIMEOUT_SECONDS)

    def _end(self) -> None:
        for threads in (self._readers, self._writer):
            threads.shutdown()
        if self._opened is not None:
            self._opened.engine.dispose()

    async def _write_all(self) -> None:
        """Write everything that waits, together, until nothing waits any more."""
        together: list[Write] = []
        try:
            while together or self._waiting:
                while self._waiting and len(together) < MOST_WRITES_PER_TRANSACTION:
                    together.append(self._waiting.popleft())
                # Not `_refuse_if_closed`: writes from before `close` are still finished.
                commit = partial(_commit, self._require_open(), together)
                outcomes = await self._outlast(partial(_run, self._writer, commit))
                for write, outcome in zip(together, outcomes, strict=False):
                    if isinstance(outcome, Failed) and isinstance(outcome.error, NewerDatabase):
                        self._newer.set()
                    _resolve(write.outcome, outcome)
                together = together[len(outcomes) :]
        finally:
            # If this task was canceled, some are left: their callers mustn't wait forever.
            unwritten = DatabaseError("The database was closed before this could be written.")
            for write in (*together, *self._waiting):
                _resolve(write.outcome, Failed(unwritten))
            self._waiting.clear()

    def _read(self, work: Work[Result]) -> Result:
        database = self._require_open()
        with reading(database.engine) as connection:
            try:
                return _done(work, connection)
            except sa.exc.DBAPIError as error:
                if is_passing(error):
                    raise
                # If a column is gone, the newer version has removed it.
                connection.rollback()
                check_revision(connection, database.revision)
                raise

    async def _outlast(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """Repeat `work` until the database can be reached; raises errors that waiting can't cure.

        Logs once that it waits for the database, and once that it no longer does.
        """
        seconds = FIRST_RETRY_SECONDS
        while True:
            try:
                result = await work()
            except Exception as error:
                if not is_passing(error):
                    raise
                # A connection may have died while idle; the next try uses another one.
                if not self._is_away and seconds > FIRST_RETRY_SECONDS:
                    self._is_away = True
                    reason = without_secrets(in_words(error), self._url)
                    log.warning("Waiting for %s: %s.", place_of(self._url), reason)
            else:
                if self._is_away and seconds > FIRST_RETRY_SECONDS:
                    self._is_away = False
                    log.info("No longer waiting for %s.", place_of(self._url))
                return result
            await asyncio.sleep(seconds)
            seconds = min(seconds * 2, LONGEST_RETRY_SECONDS)

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise DatabaseError("The database is closed.")

    def _require_open(self) -> OpenDatabase:
        if self._opened is None:
            raise DatabaseError("The database isn't open yet.")
        return self._opened


def _run(threads: ThreadPoolExecutor, work: Callable[[], Result]) -> asyncio.Future[Result]:
    return asyncio.get_running_loop().run_in_executor(threads, work)


def _each(connection: sa.Connection, works: Sequence[Work[Any]]) -> list[Any]:
    return [_done(work, connection) for work in works]


def _commit(database: OpenDatabase, writes: Sequence[Write], *, is_long: bool = False) -> list[Any]:
    """Do all `writes` in one transaction, and return the outcome of each, in their order.

    If one fails, the others don't; all do if a newer version has migrated the database. Raises only
    errors that pass by themselves: the outcome is unknown then, and all has to be done again. If
    such an error comes after some were committed, only their outcomes are returned.
    """
    began = None
    try:
        with database.engine.connect() as connection, connection.begin():
            begin_writing(connection)
            if is_long:
                allow_long_transaction(connection)
            began = time.monotonic()
            check_revision(connection, database.revision)
            outcomes: list[Any] = []
            for work, alike in groupby(writes, key=lambda write: write.work):
                outcomes += work(connection, [write.item for write in alike])
            _check_that_it_will_commit(connection)
            return outcomes
    except Exception as error:
        # PostgreSQL doesn't say in a pipeline why it ended a transaction.
        took_long = began is not None and time.monotonic() - began > SHORTEST_LIMIT_SECONDS
        may_need_more_time = took_long and was_ended(error) and not is_long
        if is_passing(error) and not may_need_more_time:
            raise
        if len(writes) == 1 and not may_need_more_time:
            return [Failed(error)]
    # A savepoint for each would slow every commit down.
    return _commit_one_by_one(database, writes, is_long=may_need_more_time)


def _commit_one_by_one(
    database: OpenDatabase, writes: Sequence[Write], *, is_long: bool
) -> list[Any]:
    """Find the writes that fail, or need a long transaction; returns what `_commit` does."""
    outcomes: list[Any] = []
    for write in writes:
        try:
            outcomes += _commit(database, [write], is_long=is_long)
        except Exception:
            if not outcomes:
                raise
            break
    return outcomes


def _check_that_it_will_commit(connection: sa.Connection) -> None:
    """Raise RuntimeError if PostgreSQL would roll back at COMMIT.

    It does so silently after any error, even one that was caught.
    https://www.postgresql.org/docs/current/sql-commit.html
    """
    if connection.dialect.name == "postgresql":
        driver: Any = connection.connection.driver_connection
        if driver.info.transaction_status.name == "INERROR":
            raise RuntimeError("the work went on after an error: do what may fail in a savepoint")


def _done(work: Work[Result], connection: sa.Connection) -> Result:
    try:
        return work(connection)
    except StopIteration as error:
        # A future can't hold StopIteration, and its caller would wait forever.
        raise RuntimeError("the work looked for a row that isn't there") from error


def _resolve(outcome: asyncio.Future[Any], result: Any) -> None:
    if outcome.done():
        return  # the caller was canceled
    if isinstance(result, Failed):
        outcome.set_exception(result.error)
    else:
        outcome.set_result(result)
