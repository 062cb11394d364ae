"""What goes into a sandboxed query, and what comes out: its answer, or an error in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

# Dates, decimals, lists and the like arrive as DuckDB's text of them.
Value = str | int | float | bool | None
Format = Literal["csv", "parquet", "json"]
Kind = Literal["syntax", "name", "refused", "limit", "data", "failed"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column and its type by DuckDB's name, such as `VARCHAR` or `DECIMAL(9,2)`."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Table:
    """What a source is to a query: local files, which it can only read.

    `files` are absolute. `columns` are the pinned names and types; without any, DuckDB guesses
    them. Rows whose `time_column` is after the query's `as_of` are left out. `options` say how to
    read CSV: see `CSV_OPTIONS`.
    """

    name: str
    files: tuple[Path, ...]
    format: Format
    columns: tuple[Column, ...] = ()
    time_column: str = ""
    options: Mapping[str, str | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Query:
    """One SELECT over tables.

    `time_zone` is what DuckDB reads and shows times in. At most `most_rows` rows are returned.
    `as_of`, which has a time zone, is what `now()`, `current_date` and the like return; tables with
    a `time_column` end there.
    """

    sql: str
    tables: tuple[Table, ...] = ()
    time_zone: str = "UTC"
    most_rows: int = 50_000
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The rows that a query found; `is_cut` if there are more. `seconds` is how long it ran."""

    columns: tuple[Column, ...]
    rows: list[tuple[Value, ...]]
    is_cut: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known from a query's text without running it.

    `tables` are the names it reads from, as it spells them. `uses_clock` means that it asks for the
    time or for something random, so the same data may lead to another answer.
    """

    tables: frozenset[str]
    uses_clock: bool


@dataclass(frozen=True, slots=True)
class Fix:
    """A probable correction: replace `find`, at the error's place, by `replace`."""

    find: str
    replace: str


class QueryError(Exception):
    """A query that can't be run, was stopped, or met data that it can't use.

    `str()` is one sentence for people. `line` and `column` count from 1, in characters; `length` is
    0 if only the place is known, and all three are None if even that isn't.

    Kinds: "syntax" (the SQL is wrong), "name" (no such table, column or function), "refused" (not
    allowed in a rule), "limit" (too long, too large, too slow), "data" (files or values don't fit),
    "failed" (something else).
    """

    def __init__(
        self,
        sentence: str,
        kind: Kind,
        *,
        line: int | None = None,
        column: int | None = None,
        length: int | None = None,
        fix: Fix | None = None,
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.kind: Kind = kind
        self.line = line
        self.column = column
        self.length = length
        self.fix = fix


def error_at(
    sql: str,
    start: int | None,
    length: int | None,
    sentence: str,
    kind: Kind,
    *,
    fix: Fix | None = None,
) -> QueryError:
    """Return the error with its place; DuckDB counts `start` and `length` in bytes of UTF-8."""
    encoded = sql.encode()
    if start is None or not 0 <= start <= len(encoded):
        return QueryError(sentence, kind, fix=fix)
    before = encoded[:start].decode(errors="ignore")
    marked = encoded[start : start + (length or 0)].decode(errors="ignore")
    return QueryError(
        sentence,
        kind,
        line=before.count("\n") + 1,
        column=len(before) - (before.rfind("\n") + 1) + 1,
        length=len(marked.split("\n", 1)[0]),
        fix=fix,
    )
