"""SQL straight to the database of a desk, past its History: to arrange things and to check."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from pydantic import SecretStr

from database.connecting import engine_for, parsed
from database.transactions import begin_writing

Row = Mapping[Any, Any]


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction like those of `Database.write`, committed unless the block raises."""
    with engine.connect() as connection, connection.begin():
        begin_writing(connection)
        yield connection


async def execute(database_url: SecretStr, statement: sa.Executable) -> Sequence[Row]:
    """Run one statement in a transaction of its own; returns the rows that it found, if any."""

    def run() -> Sequence[Row]:
        engine = engine_for(parsed(database_url.get_secret_value()), None)
        with writing(engine) as connection:
            found = connection.execute(statement)
            return found.mappings().all() if found.returns_rows else []

    return await asyncio.to_thread(run)


async def column(database_url: SecretStr, statement: sa.Executable) -> list[Any]:
    """The first column of what a statement finds."""
    return [next(iter(row.values())) for row in await execute(database_url, statement)]
