"""Opening a database: connect, bring its tables up to date, check that it can be written to."""

from __future__ import annotations

import sqlite3
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from database import DatabaseError
from database.connecting import SQLITE_BUSY_TIMEOUT_SECONDS, engine_for, place_of, without_secrets
from database.errors import in_words
from database.migrations import bring_up_to_date, check_that_it_can_be_written
from database.transactions import check_revision, reading, run_outside_transactions

# The columns of our tables, each with its table, and nothing of what others keep beside them.
# SQLAlchemy's inspector would ask table by table: 16 ms at every start, not 4.
# https://www.sqlite.org/pragma.html#pragfunc
# https://www.postgresql.org/docs/current/catalog-pg-attribute.html
COLUMNS_OF_TABLES = {
    "sqlite": (
        "SELECT tables.name, columns.name"
        " FROM sqlite_master AS tables JOIN pragma_table_xinfo(tables.name) AS columns"
        " WHERE tables.name IN :ours"
    ),
    "postgresql": (
        "SELECT tables.relname, columns.attname"
        " FROM pg_class AS tables JOIN pg_attribute AS columns ON columns.attrelid = tables.oid"
        " WHERE tables.relname IN :ours AND pg_table_is_visible(tables.oid)"
        " AND columns.attnum > 0 AND NOT columns.attisdropped"
    ),
}


@dataclass(frozen=True, slots=True)
class OpenDatabase:
    """A database with a pool of connections, and the revision that it was opened at."""

    engine: sa.Engine
    revision: str


def open_database(url: sa.URL, connections: int, tables: sa.MetaData) -> OpenDatabase:
    """Open a database with a pool of `connections`.

    `tables` are those that it must have after its migrations. Raises `DatabaseError`: one sentence
    that names DATABASE_URL.
    """
    engine = engine_for(url, connections)
    found = _prepared(engine, tables)
    if isinstance(found, DatabaseError):
        engine.dispose()
        raise found
    return OpenDatabase(engine, found)


def check_still_usable(database: OpenDatabase, tables: sa.MetaData) -> None:
    """Raise `DatabaseError` unless a database that was opened before can still be used.

    It uses a new connection, because an open one goes on working with a file that was deleted.
    """
    url = database.engine.url
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).is_file():
        # Connecting would make a new, empty file.
        raise DatabaseError(f"DATABASE_URL names {place_of(url)}, which isn't there any more.")
    fresh = OpenDatabase(engine_for(url, None), database.revision)
    if problem := _why_unusable(fresh, tables):
        raise problem


def _prepared(engine: sa.Engine, tables: sa.MetaData) -> str | DatabaseError:
    """Make the file and the tables if they aren't there; return the database's revision.

    An error that keeps alerts from being saved is returned, for the caller to raise: raised inside
    the except block, its traceback would show the original error, password and all.
    """
    try:
        if engine.url.get_backend_name() == "sqlite":
            _make_file(engine.url, engine)
        revision = bring_up_to_date(engine)
        check_that_it_can_be_written(engine)
        return _wrong_tables(engine, tables) or revision
    except (sa.exc.SQLAlchemyError, sqlite3.Error, OSError) as error:
        return unusable(engine.url, error)


def _why_unusable(database: OpenDatabase, tables: sa.MetaData) -> DatabaseError | None:
    engine = database.engine
    try:
        with reading(engine) as connection:
            check_revision(connection, database.revision)
        check_that_it_can_be_written(engine)
        return _wrong_tables(engine, tables)
    except (sa.exc.SQLAlchemyError, sqlite3.Error, OSError) as error:
        return unusable(engine.url, error)


def _wrong_tables(engine: sa.Engine, tables: sa.MetaData) -> DatabaseError | None:
    """Say which table or column is missing. Other programs may have added some of their own."""
    query = sa.text(COLUMNS_OF_TABLES[engine.dialect.name])
    query = query.bindparams(sa.bindparam("ours", type_=sa.String, expanding=True))
    present: dict[str, set[str]] = defaultdict(set)
    with reading(engine) as connection:
        for table, column in connection.execute(query, {"ours": list(tables.tables)}):
            present[table].add(column)
    for table in tables.sorted_tables:
        if table.name not in present:
            missing = f"there is no table {table.name}"
            break
        columns = [each.name for each in table.columns if each.name not in present[table.name]]
        if columns:
            missing = f"the table {table.name} has no column {columns[0]}"
            break
    else:
        return None
    return DatabaseError(
        f"DATABASE_URL names {place_of(engine.url)}, whose tables aren't those of its revision "
        f"({missing}): restore a backup, or name another database."
    )


def unusable(url: sa.URL, error: Exception) -> DatabaseError:
    """Say in one sentence why a database can't be used, without its password.

    Raise it outside the except block, so that `error`, which may hold the password, isn't its
    context.
    """
    reason = without_secrets(in_words(error), url)
    return DatabaseError(f"DATABASE_URL names {place_of(url)}, which can't be used: {reason}.")


def _make_file(url: sa.URL, engine: sa.Engine) -> None:
    """Make the file and its folder, and let readers and a writer work side by side (WAL)."""
    file = Path(str(url.database))
    # Not `parents`: a mistyped path would lead to an empty history instead of an error.
    file.parent.mkdir(exist_ok=True)
    give_up = time.monotonic() + SQLITE_BUSY_TIMEOUT_SECONDS
    while True:
        try:
            with engine.connect() as connection:
                run_outside_transactions(connection, "PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # Setting this mode doesn't wait for other processes by itself, as other statements do.
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > give_up:
                raise
        time.sleep(0.05)
