"""Opening a database: reached, writable, its tables up to date."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import sqlalchemy as sa

from database import DatabaseError
from database.connecting import SQLITE_BUSY_SECONDS, engine_for, place_of, run_outside_transactions
from database.errors import in_words
from database.migrations import bring_up_to_date, check_that_it_can_be_written


def opened(url: sa.URL, connections: int) -> sa.Engine:
    """An engine of so many connections for a database that is ready for work.

    Raises `DatabaseError`: one sentence that names DATABASE_URL.
    """
    engine = engine_for(url, connections)
    try:
        if url.get_backend_name() == "sqlite":
            _make_file(url, engine)
        bring_up_to_date(engine)
        check_that_it_can_be_written(engine)
    except (sa.exc.SQLAlchemyError, sqlite3.Error, OSError) as error:
        problem = unusable(url, error)
    else:
        return engine
    engine.dispose()
    # Outside of the block: the error that it caught would be shown, and may hold the password.
    raise problem


def unusable(url: sa.URL, error: Exception) -> DatabaseError:
    """The sentence about a database that can't be used, to be raised where `error` isn't seen."""
    reason = in_words(error)
    if url.password:
        reason = reason.replace(url.password, "***")
    return DatabaseError(f"DATABASE_URL names {place_of(url)}, which can't be used: {reason}.")


def _make_file(url: sa.URL, engine: sa.Engine) -> None:
    """Make the file and its folder, and let readers and a writer work side by side (WAL)."""
    file = Path(str(url.database))
    # Not the folders above: in a mistyped path there would be an empty history.
    file.parent.mkdir(exist_ok=True)
    give_up = time.monotonic() + SQLITE_BUSY_SECONDS
    while True:
        try:
            with engine.connect() as connection:
                run_outside_transactions(connection, "PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # The one thing that doesn't wait for other processes by itself.
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > give_up:
                raise
        time.sleep(0.05)
