"""DATABASE_URL: what it names, and how to connect there."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from database import DatabaseError

CONNECT_TIMEOUT_SECONDS = 5
# A server that vanishes is given up after some 20 s instead of 15 minutes.
# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
POSTGRESQL_OPTIONS = {
    "connect_timeout": CONNECT_TIMEOUT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 20_000,
    # A pooler such as PgBouncer may give each transaction another connection, which knows nothing
    # of statements that were prepared before. https://www.pgbouncer.org/features.html
    "prepare_threshold": None,
}
# A process that hangs in the middle of a transaction must not keep others from writing for long.
# These limits are the transaction's own, so a pooler can't hand them to another program. Before
# version 17, PostgreSQL has no limit for all of a transaction.
LIMIT_TRANSACTION = (
    "SELECT set_config('idle_in_transaction_session_timeout', '5s', true),"
    " set_config('lock_timeout', '10s', true),"
    " CASE WHEN current_setting('transaction_timeout', true) IS NOT NULL"
    " THEN set_config('transaction_timeout', '15s', true) END"
)
NO_LIMITS = LIMIT_TRANSACTION.replace("10s", "0").replace("15s", "0")
# How long to wait for another process that is writing to the file.
SQLITE_BUSY_TIMEOUT_SECONDS = 30


def parsed(database_url: str) -> sa.URL:
    """Parse a DATABASE_URL for SQLAlchemy, a file with its full path. Raises `DatabaseError`."""
    try:
        url = sa.make_url(database_url)
    except (sa.exc.ArgumentError, ValueError):
        url = None
    # Raised outside the except block, because the error there may quote the URL with its password.
    if url is None:
        raise DatabaseError(
            "DATABASE_URL can't be read: give sqlite:///path/to/file or "
            "postgresql://user:password@host/name, with special characters in the password "
            "written as %XX."
        )
    if url.get_backend_name() == "postgresql":
        if not url.database:
            raise DatabaseError("DATABASE_URL names no database: add its name after the host.")
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() != "sqlite":
        raise DatabaseError("DATABASE_URL must start with sqlite:/// or postgresql://.")
    if not url.database or url.database.startswith((":memory:", "file:")):
        raise DatabaseError("DATABASE_URL names no file: give sqlite:///path/to/file.")
    return url.set(drivername="sqlite", database=str(Path(url.database).absolute()))


def place_of(url: sa.URL) -> str:
    """Describe the database for people, never with a password."""
    if url.get_backend_name() == "sqlite":
        return f"the file {url.database}"
    host = url.host or url.query.get("host") or "this machine"
    return f"the database {url.database} at {host}{f':{url.port}' if url.port else ''}"


def engine_for(url: sa.URL, connections: int | None) -> sa.Engine:
    """Make an engine with a pool of `connections`, or without a pool if None; doesn't connect yet.

    With the execution option `writes`, a SQLite transaction takes the write lock as it begins, and
    one of PostgreSQL ends after 15 s.
    """
    pool: dict[str, Any] = {"poolclass": sa.NullPool}
    if connections is not None:
        pool = {"pool_size": connections, "max_overflow": 0}
    if url.get_backend_name() == "postgresql":
        options = {
            name: value for name, value in POSTGRESQL_OPTIONS.items() if name not in url.query
        }
        # hide_parameters: they hold people's numbers and messages, and errors end up in logs.
        engine = sa.create_engine(
            url, connect_args=options, hide_parameters=True, pool_pre_ping=True, **pool
        )
        sa.event.listen(engine, "begin", _begin_postgresql)
        return engine
    engine = sa.create_engine(
        url, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}, hide_parameters=True, **pool
    )
    sa.event.listen(engine, "connect", _set_up_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def run_outside_transactions(connection: sa.Connection, pragma: str) -> None:
    """Run a PRAGMA that SQLite doesn't allow in a transaction, which SQLAlchemy would begin."""
    connection.connection.cursor().execute(pragma)


def _set_up_sqlite(connection: sqlite3.Connection, record: object) -> None:
    # With None, Python doesn't begin transactions itself: it would do so only at the first change.
    connection.isolation_level = None
    # FULL: a commit is on the disk. https://www.sqlite.org/pragma.html#pragma_synchronous
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_postgresql(connection: sa.Connection) -> None:
    if connection.get_execution_options().get("writes"):
        connection.exec_driver_sql(LIMIT_TRANSACTION)


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
