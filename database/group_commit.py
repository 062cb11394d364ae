"""Work inside of transactions: reading, and many pieces of writing in one commit."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from database import DatabaseError
from database.outages import is_passing

Result = TypeVar("Result")
Work = Callable[[sa.Connection], Result]


@dataclass(frozen=True, slots=True)
class Failed:
    """The outcome of work that raised `error`; any other outcome is what the work returned."""

    error: Exception


def read(engine: sa.Engine, work: Work[Result]) -> Result:
    """What `work` finds; what it changes, if anything, is undone."""
    with engine.connect() as connection:
        return _done(work, connection)


def commit_together(engine: sa.Engine, works: Sequence[Work[Any]]) -> list[Any]:
    """Do all of `works` in one transaction; gives each one's outcome, in their order.

    One that fails fails alone. Raises only what passes by itself: then nothing is sure, and all of
    `works` are to be done again.
    """
    try:
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            outcomes = [_done(work, connection) for work in works]
            _check_that_it_will_commit(connection)
            return outcomes
    except Exception as error:
        if is_passing(error):
            raise
        if len(works) == 1:
            return [Failed(error)]
    # A savepoint each would cost every commit what only this rare case needs.
    return [commit_together(engine, [work])[0] for work in works]


def _check_that_it_will_commit(connection: sa.Connection) -> None:
    """PostgreSQL answers COMMIT with a silent rollback after any error, whoever caught it.

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
        # A future can't carry it: whoever waits would wait for ever.
        raise RuntimeError("the work looked for a row that isn't there") from error


# More would let the first ones wait for too long.
MOST_TOGETHER = 200

Item = TypeVar("Item")


class WritingQueue(Generic[Item]):
    """Hands what waits to `commit`, all that there is at once; an idle queue at once.

    `commit` gives the outcome of each, as `transactions.commit_together` does.
    """

    def __init__(self, commit: Callable[[Sequence[Item]], Awaitable[list[Any]]]) -> None:
        self._commit = commit
        self._waiting: deque[tuple[Item, asyncio.Future[Any]]] = deque()
        self._committing: asyncio.Task[None] | None = None

    async def write(self, item: Item) -> Any:
        """The outcome of `item`, once that is committed; raises what it raised."""
        written: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, written))
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit_all())
        return await written

    async def close(self, seconds: float) -> None:
        """Wait until all is written; what isn't after `seconds` raises `DatabaseError`."""
        if self._committing and not self._committing.done():
            await asyncio.wait({self._committing}, timeout=seconds)
            self._committing.cancel()
            await asyncio.wait({self._committing})

    async def _commit_all(self) -> None:
        together: list[tuple[Item, asyncio.Future[Any]]] = []
        try:
            while self._waiting:
                together = [
                    self._waiting.popleft() for _ in range(min(MOST_TOGETHER, len(self._waiting)))
                ]
                outcomes = await self._commit([item for item, _ in together])
                for (_, written), outcome in zip(together, outcomes, strict=True):
                    _tell(written, outcome)
        finally:
            # Empty, unless something came between: nobody may wait for ever.
            unwritten = DatabaseError("The database was closed before this could be written.")
            for _, written in (*together, *self._waiting):
                _tell(written, Failed(unwritten))
            self._waiting.clear()


def _tell(written: asyncio.Future[Any], outcome: Any) -> None:
    if written.done():
        # Who waited was cancelled.
        return
    if isinstance(outcome, Failed):
        written.set_exception(outcome.error)
    else:
        written.set_result(outcome)
