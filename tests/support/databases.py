"""Databases that have their tables already: copying one takes a tenth of making it.

A PostgreSQL server takes longer for a copy than most tests take, so there one test after another
gets the same database, emptied.

The tests of database/ make theirs from nothing, and so do crash tests and real processes.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg
import sqlalchemy as sa
from psycopg import sql

from database.connecting import parsed
from database.opening import open_database
from tests.support.postgres import PostgresServer, fresh_database

# The tables are made by migrations, so nothing has to be imported that describes them.
NO_TABLES = sa.MetaData()
# Everything that a test could have changed besides the rows, which are deleted: tables, columns,
# constraints, indexes, functions, settings, the revision, and connections that are still open.
STATE = """
SELECT ARRAY(SELECT (attrelid, attname, atttypid, attnotnull, attisdropped)::text
               FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
              WHERE relnamespace = 'public'::regnamespace ORDER BY attrelid, attnum),
       ARRAY(SELECT pg_get_constraintdef(oid) FROM pg_constraint ORDER BY oid),
       (SELECT count(*) FROM pg_index WHERE NOT indisvalid),
       (SELECT count(*) FROM pg_namespace WHERE nspname NOT LIKE 'pg_%'),
       (SELECT count(*) FROM pg_proc), (SELECT count(*) FROM pg_trigger),
       (SELECT count(*) FROM pg_db_role_setting),
       ARRAY(SELECT version_num FROM callboard_revision),
       (SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid())
"""
TABLES = """
SELECT tablename FROM pg_tables
 WHERE schemaname = 'public' AND tablename <> 'callboard_revision'
"""


def sqlite_in(folder: Path) -> str:
    """Return the URL of a SQLite database in a folder; put one there unless it has one."""
    file = folder / "callboard.sqlite"
    if folder.is_dir() and not file.exists():
        shutil.copyfile(_sqlite_template(), file)
    return f"sqlite:///{file}"


@contextmanager
def postgres_in(server: PostgresServer) -> Iterator[str]:
    """The URL of a database of a server, which no other test uses while the block lasts."""
    spare = _spare_databases(server)
    url = spare.pop() if spare else fresh_database(server, template=_postgres_template(server))
    yield url
    if _is_empty_again(server, url):
        spare.append(url)


@cache
def _spare_databases(server: PostgresServer) -> list[str]:
    """The databases of a server that no test uses, all of them empty."""
    return []


def _is_empty_again(server: PostgresServer, url: str) -> bool:
    """Delete all rows; whether the database is then as it was before the test."""
    if not server.is_up():
        return False  # a test has stopped it
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute(STATE).fetchone() != _state_of_template(server):
            return False
        # So that the order doesn't matter: foreign keys aren't looked at.
        connection.execute("SET session_replication_role = replica")
        for (table,) in connection.execute(TABLES).fetchall():
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
    return True


@cache
def _state_of_template(server: PostgresServer) -> tuple[object, ...] | None:
    with psycopg.connect(server.url(_postgres_template(server))) as connection:
        return connection.execute(STATE).fetchone()


@cache
def _sqlite_template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="callboard-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = folder / "callboard.sqlite"
    _bring_up_to_date(f"sqlite:///{file}")
    return file


@cache
def _postgres_template(server: PostgresServer) -> str:
    url = fresh_database(server)
    _bring_up_to_date(url)
    with psycopg.connect(url) as connection:
        [(name,)] = connection.execute("SELECT current_database()")
    return str(name)


def _bring_up_to_date(url: str) -> None:
    # Closing the last connection also moves what is in SQLite's log to the file.
    open_database(parsed(url), 1, NO_TABLES).engine.dispose()
