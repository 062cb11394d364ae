"""Running a query that was found harmless, and its rows as frames for the caller."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import duckdb

from rules.sandbox.duckdb_errors import details_of, in_words
from rules.sandbox.query import Column, QueryError
from rules.sandbox.views import source_error
from rules.sandbox.wire import (
    MOST_ANSWER_BYTES,
    MOST_FRAME_BYTES,
    Job,
    columns_message,
    pack,
)

ROWS_AT_ONCE = 500
# These become JSON as they are; DuckDB writes all others as text.
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
    """Yield the columns, the rows in parts, and how it ended. Raises `QueryError`."""
    began = time.perf_counter()
    query = _without_end(job.sql)
    before = "SELECT * FROM (\n"
    try:
        columns = _columns(connection, f"DESCRIBE {before}{query}\n)")
    except duckdb.Error as error:
        raise _in_words(error, job, len(f"DESCRIBE {before}")) from None
    yield pack(columns_message(columns))
    chosen = ", ".join(_as_json(place, each) for place, each in enumerate(columns, 1))
    before = f"SELECT {chosen} FROM (\n"  # noqa: S608 - places, no names
    try:
        connection.execute(f"{before}{query}\n) LIMIT {job.most_rows + 1}")
        count = 0
        for rows in _fetched(connection):
            yield from _frames(rows[: job.most_rows - count])
            count += len(rows)
    except duckdb.Error as error:
        raise _in_words(error, job, len(before)) from None
    seconds = time.perf_counter() - began
    yield pack({"is_cut": count > job.most_rows, "seconds": seconds})


def answer_unguarded(connection: duckdb.DuckDBPyConnection, sql: str) -> Iterator[bytes]:
    """Run whatever it is, without a word about its rows: for tests of the other layers."""
    count = len(connection.execute(sql).fetchmany(ROWS_AT_ONCE))
    yield pack(columns_message((Column("rows", "BIGINT"),)))
    yield pack({"rows": [[count]]})
    yield pack({"is_cut": False, "seconds": 0.0})


def _columns(connection: duckdb.DuckDBPyConnection, describing: str) -> tuple[Column, ...]:
    rows = connection.execute(describing).fetchall()
    return tuple(Column(str(name), str(kind)) for name, kind, *_ in rows)


def _as_json(place: int, column: Column) -> str:
    return f"#{place}" if column.type in AS_THEY_ARE else f"CAST(#{place} AS VARCHAR)"


def _fetched(connection: duckdb.DuckDBPyConnection) -> Iterator[list[tuple[Any, ...]]]:
    while rows := connection.fetchmany(ROWS_AT_ONCE):
        yield rows


def _frames(rows: list[tuple[Any, ...]]) -> Iterator[bytes]:
    """Yield the rows in frames that aren't too long."""
    if not rows:
        return
    frame = pack({"rows": rows})
    if len(frame) <= MOST_FRAME_BYTES:
        yield frame
    elif len(rows) == 1:
        raise QueryError(TOO_WIDE, "limit")
    else:
        half = len(rows) // 2
        yield from _frames(rows[:half])
        yield from _frames(rows[half:])


def _without_end(sql: str) -> str:
    """Return the query without what may follow it: a semicolon, and comments."""
    encoded = sql.encode()
    end = len(encoded)
    for start, kind in reversed(duckdb.tokenize(sql)):
        if kind != duckdb.token_type.comment and encoded[start : start + 1] != b";":
            break
        end = start
    return encoded[:end].decode()


def _in_words(error: duckdb.Error, job: Job, before: int) -> QueryError:
    """Return the error in words; if it is about a file, with the name of its source."""
    message = str(details_of(error)["exception_message"])
    for table in job.tables:
        if any(str(file) in message for file in table.files):
            return source_error(table, error)
    return in_words(error, job.sql, before)
