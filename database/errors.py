"""Database errors: which ones pass by themselves, and what to tell people about the others."""

from __future__ import annotations

import sqlite3

import sqlalchemy as sa

# https://www.sqlite.org/rescode.html
PASSING_SQLITE_CODES = {
    sqlite3.SQLITE_BUSY,  # another process is writing
    sqlite3.SQLITE_LOCKED,  # another connection of this process uses the table
    sqlite3.SQLITE_CANTOPEN,  # the file can't be opened
    sqlite3.SQLITE_FULL,  # the disk is full
    sqlite3.SQLITE_IOERR,  # the disk can't be read or written
}
# https://www.postgresql.org/docs/current/errcodes-appendix.html
TOO_LONG_SQLSTATES = {
    "25P03",  # the transaction was idle for too long
    "25P04",  # the transaction took too long
}
PASSING_SQLSTATES = {
    *TOO_LONG_SQLSTATES,
    "40001",  # the transaction conflicts with another one
    "40P01",  # deadlock
    "55P03",  # a lock wasn't free in time
    "57P01",  # the server is shut down
    "57P02",  # the server crashed
    "57P03",  # the server is starting or stopping
    "57P05",  # the connection was idle for too long
    "58030",  # the server's disk can't be read or written
}
# The first two characters of SQLSTATEs.
PASSING_CLASSES = (
    "08",  # the connection is broken, or never came about
    "53",  # no room on the disk, no memory, or no connection is left
)


def is_passing(error: BaseException) -> bool:
    """Whether the same work may succeed later: the connection is at fault, not the work."""
    cause: BaseException | None = error
    if isinstance(error, sa.exc.DBAPIError):
        if error.connection_invalidated:
            return True
        cause = error.orig
    sqlite_code = getattr(cause, "sqlite_errorcode", None)
    if sqlite_code is not None:
        # The low byte is the primary code; the rest is a detail.
        return sqlite_code & 0xFF in PASSING_SQLITE_CODES
    sqlstate = getattr(cause, "sqlstate", None)
    if sqlstate is not None:
        return sqlstate in PASSING_SQLSTATES or sqlstate.startswith(PASSING_CLASSES)
    # psycopg has no code for a connection that never came about.
    return isinstance(error, sa.exc.OperationalError) and error.statement is None


def was_ended(error: BaseException) -> bool:
    """Whether PostgreSQL ended a transaction that took too long, or closed its connection."""
    if not isinstance(error, sa.exc.DBAPIError):
        return False
    sqlstate = getattr(error.orig, "sqlstate", None)
    return sqlstate in TOO_LONG_SQLSTATES or (sqlstate is None and error.connection_invalidated)


def in_words(error: BaseException) -> str:
    """Return the reason alone, on one line and without a period."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    lines = str(cause).strip().splitlines() or [type(cause).__name__]
    return lines[0].rstrip(".: ")
