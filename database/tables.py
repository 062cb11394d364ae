"""What all tables share: their metadata, and inserting rows that may be there already."""

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


def upsert(
    connection: sa.Connection,
    table: sa.Table,
    row: Mapping[str, Any],
    *,
    changed: tuple[str, ...],
    key: tuple[str, ...] = (),
    unless_same: str = "",
) -> None:
    """Insert a row, or set the `changed` columns of the row that has its key already.

    The `key` is the table's primary key, unless columns are named, which must be unique. A row that
    has the same value in the column `unless_same` is left as it is.
    """
    key = key or tuple(each.name for each in table.primary_key)
    connection.execute(_upsert(table, connection.dialect.name, key, changed, unless_same), row)


# Building a statement takes as long as running it, and every alert needs several.
@cache
def _insert_of_new(table: sa.Table, dialect: str) -> Insert:
    return _insert(table, dialect).on_conflict_do_nothing()


@cache
def _upsert(
    table: sa.Table, dialect: str, key: tuple[str, ...], changed: tuple[str, ...], unless_same: str
) -> Insert:
    insert = _insert(table, dialect)
    given = insert.excluded
    return insert.on_conflict_do_update(
        index_elements=key,
        set_={name: given[name] for name in changed},
        where=table.c[unless_same] != given[unless_same] if unless_same else None,
    )


def _insert(table: sa.Table, dialect: str) -> Insert:
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def in_parts(many: Sequence[T]) -> list[Sequence[T]]:
    """Split `many` into parts that are small enough for one SQL statement."""
    starts = range(0, len(many), MOST_PER_STATEMENT)
    return [many[start : start + MOST_PER_STATEMENT] for start in starts]
