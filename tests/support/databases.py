"""Databases that have their tables already: to copy one takes a tenth of making it.

The tests of database/ make theirs from nothing, and so do crash tests and real processes.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import psycopg
import sqlalchemy as sa

from database.connecting import parsed
from database.opening import opened
from tests.support.postgres import PostgresServer, fresh_database

# The tables are made by migrations, so nothing has to be imported that describes them.
NO_TABLES = sa.MetaData()


def sqlite_in(folder: Path) -> str:
    """Return the URL of a SQLite database in a folder; put one there unless it has one."""
    file = folder / "callboard.sqlite"
    if folder.is_dir() and not file.exists():
        shutil.copyfile(_sqlite_template(), file)
    return f"sqlite:///{file}"


def postgres_in(server: PostgresServer) -> str:
    """Return the URL of a new database of a server."""
    return fresh_database(server, template=_postgres_template(server))


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
    opened(parsed(url), 1, NO_TABLES).engine.dispose()
