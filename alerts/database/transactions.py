"""Work inside of transactions: reading, and many pieces of writing in one commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa

from alerts.database.errors import is_passing

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
