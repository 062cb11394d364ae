"""Transactions: how they begin, and the revision and the time that they see."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from database import NewerDatabase

# Not Alembic's own name for it, because other programs in the same database may use Alembic too.
REVISION_TABLE = sa.table("callboard_revision", sa.column("version_num"))
REVISION = sa.select(REVISION_TABLE.c.version_num)
# As text, because every transaction needs it.
REVISION_AS_SQL = str(REVISION)
POSTGRESQL_NOW = sa.select(sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Double))


def limits(*, idle: str, lock: str, whole: str) -> str:
    """Return the statement that limits the transaction it runs in on PostgreSQL; 0 is no limit.

    `idle` limits each wait for the next statement, `lock` each wait for a lock, and `whole` all of
    the transaction, which PostgreSQL can't limit before version 17. These limits are the
    transaction's own, so a pooler can't hand them to another program.
    """
    return (
        f"SELECT set_config('idle_in_transaction_session_timeout', '{idle}', true),"
        f" set_config('lock_timeout', '{lock}', true),"
        " CASE WHEN current_setting('transaction_timeout', true) IS NOT NULL"
        f" THEN set_config('transaction_timeout', '{whole}', true) END"
    )


# A process that hangs in the middle of a transaction must not keep others from writing for long.
SHORTEST_LIMIT_SECONDS = 5.0
LIMIT_TRANSACTION = limits(idle="5s", lock="10s", whole="15s")
# Changes of tens of thousands of rows may take minutes on a busy machine, also between two
# statements. Ended for that, they would run again forever.
LIMIT_LONG_TRANSACTION = limits(idle="10min", lock="10s", whole="0")
# A migration that is ended fails, and the program doesn't start.
LIMIT_MIGRATION = limits(idle="10min", lock="0", whole="0")


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Run a transaction that sees one state of a SQLite file; its changes are undone."""
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            run_on_sqlite(connection, "BEGIN")
        yield connection


def begin_writing(connection: sa.Connection) -> None:
    """Do this first in a transaction that writes: on SQLite it takes the write lock.

    On PostgreSQL it limits the transaction to 15 s.
    """
    if connection.dialect.name == "sqlite":
        # Python itself would begin only at the first change.
        run_on_sqlite(connection, "BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql(LIMIT_TRANSACTION)


def allow_long_transaction(connection: sa.Connection) -> None:
    """Let a transaction that has begun to write take as long as it needs; call it at its beginning.

    PostgreSQL still ends it once its process has sent nothing for 10 minutes.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(LIMIT_LONG_TRANSACTION)


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


def database_time(connection: sa.Connection) -> float:
    """Return the seconds since 1970 by the database's clock.

    Machines that share a PostgreSQL may disagree on the time. SQLite is used from one machine only.
    """
    if connection.dialect.name == "postgresql":
        return float(connection.scalar(POSTGRESQL_NOW) or 0.0)
    return time.time()


def run_outside_transactions(connection: sa.Connection, pragma: str) -> None:
    """Run a PRAGMA that SQLite doesn't allow in a transaction, which SQLAlchemy would begin."""
    connection.connection.cursor().execute(pragma)


def run_on_sqlite(connection: sa.Connection, statement: str) -> Any:
    """Run a statement with Python's sqlite3 alone, and return its first row, if it has any.

    Every transaction runs one or two such statements, and SQLAlchemy takes more than ten times as
    long for each. Errors are raised as SQLAlchemy's, as from any other statement.
    """
    try:
        return connection.connection.cursor().execute(statement).fetchone()
    except sqlite3.Error as error:
        raise sa.exc.DBAPIError.instance(
            statement, (), error, sqlite3.Error, hide_parameters=True, dialect=connection.dialect
        ) from error
