"""Running a query that the guard has let through, as of now or of another moment."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from rules.sandbox.duckdb_errors import details_of, in_words
from rules.sandbox.query import Column, QueryError
from rules.sandbox.quoting import text
from rules.sandbox.views import columns_of, end_at, keep_rows, source_error
from rules.sandbox.wire import (
    MOST_ANSWER_BYTES,
    MOST_FRAME_BYTES,
    Job,
    columns_message,
    pack,
)

MOST_COLUMNS = 1_000
ROWS_AT_ONCE = 500
# Values of these types go into JSON as they are; DuckDB writes all others as text.
AS_THEY_ARE = frozenset(
    {
        *(
            "BOOLEAN",
            "TINYINT",
            "SMALLINT",
            "INTEGER",
            "BIGINT",
            "HUGEINT",
            "UTINYINT",
            "USMALLINT",
        ),
        *("UINTEGER", "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE", "VARCHAR"),
    }
)
TOO_WIDE = (
    f"A row holds more than {MOST_FRAME_BYTES >> 20} MB of text: select fewer columns, or shorten "
    "their texts with left()."
)
TOO_MUCH = (
    f"The rows hold more than {MOST_ANSWER_BYTES >> 20} MB of text: select fewer columns or rows."
)


def answer(connection: duckdb.DuckDBPyConnection, job: Job) -> Iterator[bytes]:
    """Yield the columns; then, for each moment, the rows in parts, and how it ended.

    Raises `QueryError`.
    """
    query = _without_end(job.sql)
    columns = _described(connection, job, query)
    yield pack(columns_message(columns))
    chosen = ", ".join(_as_json(place, each) for place, each in enumerate(columns, 1))
    before = f"SELECT {chosen} FROM (\n"  # noqa: S608 - places, no names
    reading = f"{before}{query}\n) LIMIT {job.most_rows + 1}"
    if job.as_ofs != (None,):
        for table in job.tables:
            keep_rows(connection, table)
    left = MOST_ANSWER_BYTES
    for as_of in job.as_ofs:
        began = time.perf_counter()
        if as_of is not None:
            _go_to(connection, job, as_of)
        count = 0
        try:
            for rows in _fetched(connection, reading):
                for frame in _frames(rows[: job.most_rows - count]):
                    left -= len(frame)
                    if left < 0:
                        raise QueryError(TOO_MUCH, "limit")
                    yield frame
                count += len(rows)
        except duckdb.Error as error:
            raise _in_words(connection, error, job, len(before)) from None
        seconds = time.perf_counter() - began
        yield pack({"is_cut": count > job.most_rows, "seconds": seconds})


def answer_unguarded(connection: duckdb.DuckDBPyConnection, sql: str) -> Iterator[bytes]:
    """Run any SQL, without returning its rows: for tests of the other layers."""
    count = len(connection.execute(sql).fetchmany(ROWS_AT_ONCE))
    yield pack(columns_message((Column("rows", "BIGINT"),)))
    yield pack({"rows": [[count]]})
    yield pack({"is_cut": False, "seconds": 0.0})


def _described(connection: duckdb.DuckDBPyConnection, job: Job, query: str) -> tuple[Column, ...]:
    # Select from a subquery, because there DuckDB renames the second of two columns of one name.
    before = "DESCRIBE SELECT * FROM (\n"
    try:
        rows = connection.execute(f"{before}{query}\n)").fetchall()
    except duckdb.Error as error:
        columns = [each.name for table in job.tables for each in columns_of(connection, table)]
        raise _in_words(connection, error, job, len(before), columns) from None
    if len(rows) > MOST_COLUMNS:
        words = f"The answer has {len(rows):,} columns, and {MOST_COLUMNS:,} are the most."
        raise QueryError(words, "limit")
    return tuple(Column(str(name), str(kind)) for name, kind, *_ in rows)


def _go_to(connection: duckdb.DuckDBPyConnection, job: Job, as_of: datetime) -> None:
    """Set the clock to a moment, and let tables end there."""
    set_clock(connection, as_of, job.time_zone)
    for table in job.tables:
        end_at(connection, table, as_of, job.time_zone)


def _as_json(place: int, column: Column) -> str:
    return f"#{place}" if column.type in AS_THEY_ARE else f"CAST(#{place} AS VARCHAR)"


def _fetched(
    connection: duckdb.DuckDBPyConnection, reading: str
) -> Iterator[list[tuple[Any, ...]]]:
    connection.execute(reading)
    while rows := connection.fetchmany(ROWS_AT_ONCE):
        yield rows


def _frames(rows: list[tuple[Any, ...]]) -> Iterator[bytes]:
    """Yield the rows in frames that aren't too long; nearly always one is enough."""
    if not rows:
        return
    frame = pack({"rows": rows})
    if len(frame) <= MOST_FRAME_BYTES:
        yield frame
        return
    for row in rows:
        alone = pack({"rows": [row]})
        if len(alone) > MOST_FRAME_BYTES:
            raise QueryError(TOO_WIDE, "limit")
        yield alone


def _without_end(sql: str) -> str:
    """Return the query without a semicolon and comments after it."""
    encoded = sql.encode()
    end = len(encoded)
    for start, kind in reversed(duckdb.tokenize(sql)):
        if kind != duckdb.token_type.comment and encoded[start : start + 1] != b";":
            break
        end = start
    return encoded[:end].decode()


def _in_words(
    connection: duckdb.DuckDBPyConnection,
    error: duckdb.Error,
    job: Job,
    before: int,
    columns: Iterable[str] = (),
) -> QueryError:
    """Return the error in words; if it is about a file, with the name of its source."""
    message = str(details_of(error)["exception_message"])
    for table in job.tables:
        if any(str(file) in message for file in table.files):
            return source_error(connection, table, error)
    return in_words(error, job.sql, before, columns)


def set_clock(connection: duckdb.DuckDBPyConnection, moment: datetime, time_zone: str) -> None:
    """Make `now()`, `current_date`, `today()`, `age(x)` and the like return this moment.

    DuckDB looks for a function among ours before its own, and takes `current_date` without
    parentheses for a function unless a column has that name. So the query stays as it is written.
    `moment` has a time zone; dates and local times are those of `time_zone`.
    """
    there = moment.astimezone(ZoneInfo(time_zone))
    local = there.replace(tzinfo=None)
    now = f"TIMESTAMPTZ {text(moment.isoformat())}"
    today = f"DATE {text(local.date().isoformat())}"
    time = f"TIMETZ {text(there.timetz().isoformat())}"
    clock = {
        "now()": now,
        "get_current_timestamp()": now,
        "transaction_timestamp()": now,
        "current_date()": today,
        "today()": today,
        "current_localtimestamp()": f"TIMESTAMP {text(local.isoformat(' '))}",
        "current_localtime()": f"TIME {text(local.time().isoformat())}",
        "get_current_time()": time,
    }
    for function, value in clock.items():
        connection.execute(f"CREATE OR REPLACE MACRO {function} AS {value}")
    midnight = f"CAST({today} AS TIMESTAMP)"
    connection.execute(
        "CREATE OR REPLACE MACRO age(x) AS "
        f"system.main.age({midnight}, CAST(x AS TIMESTAMP)), (x, y) AS system.main.age(x, y)"
    )
