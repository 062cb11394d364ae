"""Why a CSV file can't be read any more: which line, or which columns its header lacks.

With one line too short, DuckDB finds no columns at all where it looks for what separates them, and
says that of the columns. So look again, with the header's own columns, as text.
https://duckdb.org/docs/stable/data/csv/reading_faulty_csv_files
"""

from __future__ import annotations

import csv
import re
from itertools import islice
from pathlib import Path

import duckdb

from rules.sandbox.duckdb_errors import details_of, one_line
from rules.sandbox.query import Table
from rules.sandbox.quoting import text

DELIMITERS = (",", ";", "\t", "|")
MOST_NAMES = 12
LINE = re.compile(r"CSV Error on Line: (\d+)")
COLUMN = re.compile(r'column "([^"]+)"\. (.+)')


def line_problem(message: str) -> str:
    """Return what DuckDB says is wrong in which line; "" if its message is about something else."""
    line = LINE.search(message)
    if not line:
        return ""
    if column := COLUMN.search(message):
        return f"line {line[1]}, column {column[1]}: {one_line(column[2])}"
    lines = [each for each in message.split("\n") if each.strip()]
    reason = one_line(lines[2]) if len(lines) > 2 else "it can't be read."
    return f"line {line[1]}: {reason}"


def csv_problem(connection: duckdb.DuckDBPyConnection, table: Table) -> str:
    """Return what is wrong with the first file that doesn't fit; "" if that can't be told."""
    if table.format != "csv" or not table.columns or table.options.get("header") is False:
        return ""
    for file in table.files:
        problem = _problem(connection, table, file)
        if problem:
            return f"{file.name}, {problem}" if len(table.files) > 1 else problem
    return ""


def _problem(connection: duckdb.DuckDBPyConnection, table: Table, file: Path) -> str:
    skipped = int(str(table.options.get("skip", 0)))
    try:
        with file.open(encoding=str(table.options.get("encoding", "utf-8")), newline="") as opened:
            header = next(islice(opened, skipped, None), "").lstrip("\ufeff")
    except (OSError, ValueError, LookupError):
        return ""
    delimiter, names = _fields(header, str(table.options.get("delimiter", "")))
    missing = [each.name for each in table.columns if each.name not in names]
    if missing:
        there = ", ".join(names[:MOST_NAMES]) + (" and more" if len(names) > MOST_NAMES else "")
        has = f"; it has {there}" if header.strip() else " and is empty"
        return f"its file has no column {', '.join(missing)} now{has}."
    columns = ", ".join(f"{text(name)}: 'VARCHAR'" for name in dict.fromkeys(names))
    try:
        connection.execute(
            f"SELECT count(*) FROM read_csv({text(str(file))}, auto_detect = false, header = true, "  # noqa: S608
            f"delim = {text(delimiter)}, quote = '\"', escape = '\"', skip = {skipped}, "
            f"columns = {{{columns}}})"
        ).fetchall()
    except duckdb.Error as error:
        return line_problem(str(details_of(error)["exception_message"]))
    return ""


def _fields(header: str, delimiter: str) -> tuple[str, list[str]]:
    """Return what separates the names of a header, and the names."""
    found = []
    for each in [delimiter] if len(delimiter) == 1 else DELIMITERS:
        try:
            found.append((each, [*csv.reader([header], delimiter=each), []][0]))
        except csv.Error:
            continue
    return max(found, key=lambda pair: len(pair[1]), default=(",", []))
