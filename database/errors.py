"""Database errors: which ones pass by themselves, and what to tell people about the others."""

from __future__ import annotations

import sqlite3

import sqlalchemy as sa

# https://www.sqlite.org/rescode.html: busy, locked, can't open, disk full, disk out of order.
PASSING_SQLITE_CODES = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
}
# https://www.postgresql.org/docs/current/errcodes-appendix.html: connection exceptions, shutdown,
# crash, starting up, idle for too long, transaction for too long, serialization failure, deadlock,
# disk out of order, and a lock that wasn't free in time.
PASSING_SQLSTATES = {
    "57P01", "57P02", "57P03", "57P05", "25P03", "25P04", "40001", "40P01", "58030", "55P03",
}  # fmt: skip
# Connection exceptions, and insufficient resources: disk, memory, connections.
PASSING_CLASSES = ("08", "53")


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


def in_words(error: BaseException) -> str:
    """Return the reason alone, on one line and without a period."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    lines = str(cause).strip().splitlines() or [type(cause).__name__]
    return lines[0].rstrip(".: ")
