"""What the tables of all rooms share: a database, its revision and clock, and inserting rows."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from database import NewerDatabase
from database.connecting import run_on_sqlite

metadata = sa.MetaData()
"""Each room's tables.py adds its own to it."""

# Not Alembic's own name for it, because other programs in the same database may use Alembic too.
REVISION_TABLE = sa.table("callboard_revision", sa.column("version_num"))
REVISION = sa.select(REVISION_TABLE.c.version_num)
# As text, because every transaction needs it.
REVISION_AS_SQL = str(REVISION)
MOST_PER_STATEMENT = 500
POSTGRESQL_NOW = sa.select(sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Double))

T = TypeVar("T")
Insert = sqlite.Insert | postgresql.Insert


def check_revision(connection: sa.Connection, revision: str) -> None:
    """Raise `NewerDatabase` unless the database is at `revision`, that it was opened at.

    Within a transaction this holds until its end: on PostgreSQL, reading the table makes a
    migration wait, because that locks it, and on SQLite there is only one writer.
    """
    if connection.dialect.name == "sqlite":
        row = run_on_sqlite(connection, REVISION_AS_SQL)
    else:
        row = connection.exec_driver_sql(REVISION_AS_SQL).first()
    if row is None or row[0] != revision:
        raise NewerDatabase(
            "A newer version of Callboard now uses this database, so this one neither saves nor "
            "sends anything any more: open the new version."
        )


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


def in_parts(many: Sequence[T]) -> Iterator[Sequence[T]]:
    """Split `many` into parts that are small enough for one SQL statement."""
    for start in range(0, len(many), MOST_PER_STATEMENT):
        yield many[start : start + MOST_PER_STATEMENT]


def database_time(connection: sa.Connection) -> float:
    """Return the seconds since 1970 by the database's clock.

    Machines that share a PostgreSQL may disagree on the time. SQLite is used from one machine only.
    """
    if connection.dialect.name == "postgresql":
        return float(connection.scalar(POSTGRESQL_NOW) or 0.0)
    return time.time()
