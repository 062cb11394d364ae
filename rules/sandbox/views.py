"""A table of files as a view that a query can read: which columns, of which types, up to when."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import duckdb

from rules.sandbox.duckdb_errors import csv_problem, details_of, line_problem, one_line
from rules.sandbox.query import Column, QueryError, Table
from rules.sandbox.quoting import folded, identifier, text

# Our options for how a CSV is written, and DuckDB's names for them.
CSV_OPTIONS = {
    "comment": "comment",
    "dateformat": "dateformat",
    "decimal": "decimal_separator",
    "delimiter": "delim",
    "encoding": "encoding",
    "escape": "escape",
    "header": "header",
    "nullstr": "nullstr",
    "quote": "quote",
    "skip": "skip",
    "thousands": "thousands",
    "timestampformat": "timestampformat",
}
# What DuckDB calls the columns of a CSV without a header.
UNNAMED = re.compile(r"column\d+")
# Types are guessed from at most this many rows of a file.
ROWS_TO_GUESS_FROM = 100_000
# A type becomes part of a statement, so it must be nothing but a type.
TYPE = re.compile(r"""[A-Za-z][A-Za-z0-9_ ]*(?:\([\w\s,()\[\]"]*\))?(?:\[\d*\])*""")
# DuckDB reads these in a file's name as a pattern for many names.
PATTERN_CHARACTERS = re.compile(r"[*?\[]")
# The schema with all of a table's rows while its view shows those up to a moment. Queries can't
# name it.
WHOLE = "whole"
MOST_BYTES_KEPT = 32 << 20
MISSING = re.compile(
    r'Columns with names: (.+) do not exist|Column "([^"]+)" referenced that exists in the SELECT'
)


def create_view(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Make the table readable under its name.

    Raises `QueryError` of kind "data" if the files don't have the pinned columns.
    """
    _create(connection, table, f"VIEW {identifier(table.name)}", _rows(table))


def keep_rows(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Make all rows of the table readable in a schema of their own, for `end_at`.

    This way small text files are read only once, however often the query runs.
    """
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {WHOLE}")
    size = sum(file.stat().st_size for file in table.files)
    as_table = table.format != "parquet" and size <= MOST_BYTES_KEPT
    kind = "TABLE" if as_table else "VIEW"
    _create(connection, table, f"{kind} {WHOLE}.{identifier(table.name)}", _rows(table))


def end_at(
    connection: duckdb.DuckDBPyConnection, table: Table, as_of: datetime, time_zone: str
) -> None:
    """Make a table, whose rows `keep_rows` kept, end at a moment. Rows without a time stay.

    Times without a zone, and dates, are those of `time_zone`. Raises `QueryError` of kind "refused"
    if the time column holds no times, because then it isn't known which rows were there at that
    moment.
    """
    rows = f"FROM {WHOLE}.{identifier(table.name)}"
    if table.time_column:
        kind = _time_type(table, columns_of(connection, table))
        rows += f" WHERE {_until(table.time_column, kind, as_of, time_zone)}"
    _create(connection, table, f"VIEW {identifier(table.name)}", rows)


def columns_of(connection: duckdb.DuckDBPyConnection, table: Table) -> tuple[Column, ...]:
    """Return the columns of a table as a query sees them."""
    try:
        rows = connection.execute(f"DESCRIBE {identifier(table.name)}").fetchall()
    except duckdb.Error as error:
        raise source_error(connection, table, error) from None
    return tuple(Column(str(name), str(kind)) for name, kind, *_ in rows)


def source_error(
    connection: duckdb.DuckDBPyConnection, table: Table, error: Exception
) -> QueryError:
    """Return DuckDB's error about a table's files in one sentence that names the table."""
    message = str(details_of(error)["exception_message"])
    problem = line_problem(message) or csv_problem(connection, table)
    if problem:
        return QueryError(f"{table.name}: {problem}", "data")
    if "No files found" in message or "No such file" in message:
        return QueryError(f"{table.name}: its file is gone.", "data")
    if missing := MISSING.search(message):
        names = (missing[1] or missing[2]).replace('"', "").replace(",", ", ")
        return QueryError(f"{table.name}: its file has no column {names} now.", "data")
    return QueryError(f"{table.name}: {one_line(message)}", "data")


def check_files(table: Table) -> None:
    """Raise `QueryError` if a file is gone, or if DuckDB would take its name for a pattern."""
    if not table.files:
        raise QueryError(f"{table.name}: there is no file yet.", "data")
    for file in table.files:
        if PATTERN_CHARACTERS.search(str(file)):
            words = f"{table.name}: rename {file.name} and its folder without *, ? and [."
            raise QueryError(words, "data")
        if not file.is_file():
            raise QueryError(f"{table.name}: {file.name} is gone.", "data")


def _create(connection: duckdb.DuckDBPyConnection, table: Table, what: str, rows: str) -> None:
    try:
        connection.execute(f"CREATE OR REPLACE {what} AS {rows}")
    except duckdb.Error as error:
        raise source_error(connection, table, error) from None


def _time_type(table: Table, columns: tuple[Column, ...]) -> str:
    kinds = {folded(each.name): each.type for each in columns}
    kind = kinds.get(folded(table.time_column))
    if kind is None:
        words = f"{table.name}: it has no column {table.time_column} to tell its times by."
        raise QueryError(words, "refused")
    if kind != "DATE" and not kind.startswith("TIMESTAMP"):
        words = f"{table.name}: its column {table.time_column} is {kind}, not a time or a date"
        raise QueryError(f"{words}, so what it held on other days isn't known.", "refused")
    return kind


def _until(column: str, kind: str, as_of: datetime, time_zone: str) -> str:
    local = as_of.astimezone(ZoneInfo(time_zone))
    if kind == "TIMESTAMP WITH TIME ZONE":
        moment = f"TIMESTAMPTZ {text(as_of.isoformat())}"
    elif kind == "DATE":
        moment = f"DATE {text(local.date().isoformat())}"
    else:
        moment = f"TIMESTAMP {text(local.replace(tzinfo=None).isoformat(' '))}"
    return f"{identifier(column)} <= {moment} OR {identifier(column)} IS NULL"


def _rows(table: Table) -> str:
    return f"SELECT {_chosen(table)} FROM {_reading(table)}"  # noqa: S608 - quoted or of our own


def _reading(table: Table) -> str:
    """Return the call that reads the table's files."""
    files = "[" + ", ".join(text(str(file)) for file in table.files) + "]"
    together = ", union_by_name = true" if len(table.files) > 1 else ""
    if table.format == "parquet":
        return f"read_parquet({files}, hive_partitioning = false{together})"
    if table.format == "json":
        pinned = f", columns = {_types(table)}" if table.columns else ""
        return f"read_json({files}, hive_partitioning = false{together}{pinned})"
    parts = [f"read_csv({files}, hive_partitioning = false{together}", *_csv_options(table)]
    if table.columns:
        # `types` goes by name; `columns = …` would take a file's first column for the first one
        # pinned.
        parts.append(f"types = {_types(table)}")
    else:
        parts.append(f"sample_size = {ROWS_TO_GUESS_FROM}")
    return ", ".join(parts) + ")"


def _csv_options(table: Table) -> list[str]:
    found = []
    for name, value in table.options.items():
        if name not in CSV_OPTIONS:
            known = ", ".join(sorted(CSV_OPTIONS))
            words = f"{table.name}: there is no option {name}; there are {known}."
            raise QueryError(words, "refused")
        if name == "skip":
            if not str(value).isdigit():
                raise QueryError(f"{table.name}: skip must be a number of lines.", "refused")
            found.append(f"skip = {int(value)}")
        elif name == "nullstr":
            # Several values are written one a line.
            words = ", ".join(text(each) for each in str(value).split("\n"))
            found.append(f"nullstr = [{words}]")
        else:
            written = str(value).lower() if isinstance(value, bool) else text(value)
            found.append(f"{CSV_OPTIONS[name]} = {written}")
    if table.columns and "header" not in table.options:
        unnamed = all(UNNAMED.fullmatch(each.name) for each in table.columns)
        found.append(f"header = {str(not unnamed).lower()}")
    return found


def _types(table: Table) -> str:
    pairs = (f"{text(each.name)}: {text(_type(table, each))}" for each in table.columns)
    return "{" + ", ".join(pairs) + "}"


def _type(table: Table, column: Column) -> str:
    if not TYPE.fullmatch(column.type):
        words = f"{table.name}: {column.type} is no type for the column {column.name}."
        raise QueryError(words, "refused")
    return column.type


def _chosen(table: Table) -> str:
    """Return the pinned columns as a SELECT lists them, in their pinned types."""
    if not table.columns:
        return "*"
    names = ((identifier(each.name), _type(table, each)) for each in table.columns)
    return ", ".join(f"CAST({name} AS {kind}) AS {name}" for name, kind in names)
