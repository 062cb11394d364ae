"""DuckDB's errors in one sentence: the place in the query, or what is wrong in which CSV file.

Needs the setting `errors_as_json`, with which DuckDB reports the place.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb

from rules.sandbox.limits import TOO_MUCH_MEMORY
from rules.sandbox.query import Fix, Kind, QueryError, Table, error_at
from rules.sandbox.quoting import identifier, readable, text

KEYWORDS = (
    *("SELECT", "FROM", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "JOIN", "WITH", "UNION"),
    *("BETWEEN", "DISTINCT", "INTERVAL", "QUALIFY", "WINDOW", "OFFSET", "EXCEPT", "INTERSECT"),
)
NAME = r'"((?:[^"]|"")+)"'
COLUMN_NOT_FOUND = re.compile(rf"(?:Referenced column|does not have a column named) {NAME}")
TABLE_NOT_FOUND = re.compile(rf"Referenced table {NAME} not found")
TYPE_NOT_FOUND = re.compile(r"(Type|Aggregate Function) with name (.+?) does not exist!")
CANDIDATES = re.compile(r"(?:Candidate (?:bindings|tables)|Did you mean)(.*)", re.DOTALL)
UNENDED = (
    ("unterminated string", "The text that begins here has no end."),
    ("unterminated quoted identifier", "The name that begins here has no end."),
    ("unterminated /* comment", "The comment that begins here has no end."),
)
UNEXPECTED = re.compile(r'syntax error at or near "(.*)"', re.DOTALL)
# `/srv/callboard/data/lab.csv` becomes `lab.csv`.
PATHS = re.compile(r"""(?<![\w.])/(?:[^/\s'"]+/)+""")
LONGEST_SENTENCE = 400
LONGEST_WORD = 60
LONG_WORDS = re.compile(rf"\S{{{LONGEST_WORD},}}")
TOO_DEEP = "The query has too many parts within each other: make it simpler."

NO_MEMORY = ("Out of Memory", "bad_alloc", "Memory allocation failure")

_KINDS: tuple[tuple[type[Exception], Kind], ...] = (
    (duckdb.ParserException, "syntax"),
    (duckdb.SyntaxException, "syntax"),
    (duckdb.OutOfMemoryException, "limit"),
    (duckdb.PermissionException, "refused"),
    (duckdb.ConversionException, "data"),
    (duckdb.OutOfRangeException, "data"),
    (duckdb.InvalidInputException, "data"),
    (duckdb.IOException, "data"),
    (duckdb.ConstraintException, "data"),
    (duckdb.BinderException, "syntax"),
    (duckdb.CatalogException, "name"),
    (duckdb.TypeMismatchException, "syntax"),
    (duckdb.InvalidTypeException, "syntax"),
    (duckdb.NotImplementedException, "syntax"),
)
DELIMITERS = (",", ";", "\t", "|")
MOST_NAMES = 12
LINE = re.compile(r"CSV Error on Line: (\d+)")
COLUMN = re.compile(r'column "([^"]+)"\. (.+)')


def in_words(
    error: Exception, sql: str, before: int = 0, columns: Iterable[str] = ()
) -> QueryError:
    """Return the error in words. `before` is how many bytes of SQL came before the query.

    `columns` are names to suggest in place of one that isn't there.
    """
    if isinstance(error, MemoryError):
        return QueryError(TOO_MUCH_MEMORY, "limit")
    details = details_of(error)
    message = str(details["exception_message"])
    kind: Kind = next((kind for each, kind in _KINDS if isinstance(error, each)), "failed")
    if kind == "limit" or any(each in message for each in NO_MEMORY):
        return QueryError(TOO_MUCH_MEMORY, "limit")
    if "expression depth limit" in message:
        return QueryError(TOO_DEEP, "limit")
    start, length = _place(details, before)
    if missing := _missing(message, sql, columns):
        sentence, fix = missing
        if fix and start is not None and length:
            # DuckDB marks `lab.batch` as a whole.
            name = len(fix.find.encode())
            start, length = start + max(length - name, 0), min(length, name)
        return error_at(sql, start, length, sentence, "name", fix=fix)
    if unexpected := UNEXPECTED.match(message):
        at_end = start is not None and start + (length or 0) >= len(sql.rstrip().encode())
        sentence, fix = _unexpected(unexpected[1], at_end=at_end)
        return error_at(sql, start, length, sentence, kind, fix=fix)
    return error_at(sql, start, length, _known_words(message), kind)


def details_of(error: Exception) -> dict[str, Any]:
    """Return what DuckDB says of an error; `exception_message` is always there."""
    text = str(error)
    start = text.find("{")
    if start >= 0:
        try:
            # Internal errors have more text after the JSON.
            found, _ = json.JSONDecoder().raw_decode(text, start)
        except ValueError:
            found = None
        if isinstance(found, dict) and "exception_message" in found:
            return found
    return {"exception_message": text.split(": ", 1)[-1]}


def one_line(message: str) -> str:
    """Return the first line of a message, without the machine's paths."""
    words = PATHS.sub("", " ".join(message.strip().split("\n", 1)[0].split()))
    # DuckDB says that a value is a literal, which the error's place shows already.
    words = words.replace("INTEGER_LITERAL", "INTEGER").replace("STRING_LITERAL", "VARCHAR")
    words = LONG_WORDS.sub(lambda found: _shortened(found[0]), words).removesuffix("!")
    if len(words) > LONGEST_SENTENCE:
        words = words[: LONGEST_SENTENCE - 1] + "…"
    words = words[:1].upper() + words[1:]
    return words if words.endswith((".", "?", "…")) else f"{words}."


def _place(details: dict[str, Any], before: int) -> tuple[int | None, int | None]:
    location = re.fullmatch(r"\[(\d+),(\d+)\]", str(details.get("location", "")))
    if location:
        return int(location[1]) - before, int(location[2])
    position = str(details.get("position", ""))
    return (int(position) - before, 0) if position.isdigit() else (None, None)


def _known_words(message: str) -> str:
    words = (words for start, words in UNENDED if message.startswith(start))
    return next(words, one_line(message))


def _missing(message: str, sql: str, columns: Iterable[str]) -> tuple[str, Fix | None] | None:
    """Return what to say of a column or table that isn't there; None for other errors."""
    for pattern, what in ((COLUMN_NOT_FOUND, "column"), (TABLE_NOT_FOUND, "table")):
        if found := pattern.search(message):
            name = _unquoted(found[1])
            words = f"There is no {what} called {_shortened(name)}."
            meant = _closest(name, [*columns, *_candidates(message)])
            if not meant:
                return words, None
            return f"{words} Did you mean {meant}?", Fix(_as_written(name, sql), readable(meant))
    if found := TYPE_NOT_FOUND.search(message):
        what = "type" if found[1] == "Type" else "aggregate function"
        return f"There is no {what} called {_shortened(found[2])}.", None
    return None


def _unexpected(word: str, *, at_end: bool) -> tuple[str, Fix | None]:
    """Return what to say of a word where DuckDB's parser stopped."""
    close = get_close_matches(word.upper(), KEYWORDS, 1, 0.7)
    if close and close[0] != word.upper():
        meant = close[0].lower() if word.islower() else close[0]
        return f"Did you mean {close[0]} instead of {word}?", Fix(word, meant)
    shown = " ".join(word[:40].split())
    if at_end:
        return f"The query ends too early, or {shown} is too much.", None
    return f"The query can't be read from {shown} on: check what is before it.", None


def _candidates(message: str) -> list[str]:
    """Return the names that DuckDB suggests, without those with a dot, which are ambiguous."""
    listed = CANDIDATES.search(message)
    names = [_unquoted(each) for each in re.findall(NAME, listed[1])] if listed else []
    return [each for each in names if "." not in each]


def _closest(name: str, candidates: Iterable[str]) -> str:
    """Return the candidate that differs from the name by a few letters; "" if there is none."""
    by_letters = {each.casefold(): each for each in candidates}
    close = get_close_matches(name.casefold(), by_letters, 1, 0.6)
    longer = [each for each in by_letters if name.casefold() in each]
    return by_letters[(close or longer)[0]] if close or longer else ""


def _shortened(word: str) -> str:
    return word if len(word) < LONGEST_WORD else f"{word[: LONGEST_WORD - 3]}…"


def _unquoted(name: str) -> str:
    return name.replace('""', '"')


def _as_written(name: str, sql: str) -> str:
    in_quotes = identifier(name)
    return in_quotes if in_quotes in sql else name


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
    """Return what is wrong with the first file that doesn't fit; "" if that isn't known.

    If one line is too short, DuckDB finds no columns at all while it looks for the delimiter, and
    complains about the columns. So read the file again as text, with the columns of its header.
    https://duckdb.org/docs/stable/data/csv/reading_faulty_csv_files
    """
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
