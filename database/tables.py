"""What all tables share: their metadata, and inserting rows that aren't there yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

metadata = sa.MetaData()
"""Each package's tables.py adds its own to it."""

MOST_PER_STATEMENT = 500

T = TypeVar("T")
Insert = sqlite.Insert | postgresql.Insert


def insert_new(
    connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert the rows whose key isn't in the table yet; leave the others as they are."""
    connection.execute(insert_of_new(connection, table), rows)


def insert_of_new(connection: sa.Connection, table: sa.Table) -> Insert:
    """Return the statement of `insert_new`, for a caller who adds a RETURNING clause to it."""
    return _insert_of_new(table, connection.dialect.name)


# Building the statement takes as long as running it, and every alert needs several.
@cache
def _insert_of_new(table: sa.Table, dialect: str) -> Insert:
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return insert(table).on_conflict_do_nothing()


def in_parts(many: Sequence[T]) -> list[Sequence[T]]:
    """Split `many` into parts that are small enough for one SQL statement."""
    starts = range(0, len(many), MOST_PER_STATEMENT)
    return [many[start : start + MOST_PER_STATEMENT] for start in starts]
