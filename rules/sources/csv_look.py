"""How a CSV is written, seen from its first rows: delimiter, decimals, dates, words for nothing.

DuckDB could guess most of this, but it guesses silently where a value can be read in two ways, and
differently from one version of a file to the next. So it is detected here once, shown to people and
then kept.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from alerts.phone_numbers import shortened
from rules.sources.source import Source, SourceError

SAMPLE_BYTES = 256_000
MOST_ROWS_LOOKED_AT = 2_000
ROWS_FOR_DELIMITER = 50
MOST_COLUMNS = 1_000
AS_TEXT = " is read as text"
DELIMITERS = ",;\t|"
# What people and programs write where there is no number.
NULL_WORDS = frozenset(
    {"N/A", "n/a", "NA", "#N/A", "NULL", "null", "None", "NaN", "nan", "-", "--", "?"}
)
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
ANY_NUMBER = re.compile(r"[+-]?(\d+([.,]?\d+|\.)?|\.\d+)([eE][+-]?\d+)?")  # also 1,5
# 1,234 is more than a thousand in one country, and a little more than one in another.
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
# More digits than a BIGINT holds: a code, which a floating-point number would round.
LONG_CODE = re.compile(r"\d{19,}")
DAY_AND_MONTH = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})( \d{1,2}:\d{2}(:\d{2})?)?")
TIMES = ("DATE", "TIMESTAMP")  # as DuckDB's types of them begin
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")


@dataclass(frozen=True, slots=True)
class CsvLook:
    """How one CSV is written.

    `columns` are the names of its header. `slashed` are those whose dates are written with the day
    or the month first, such as 31/01/2025, and `day_first` tells which, where that is known.
    `texts` are columns to be read as text, because their values can be read in two ways; `notes`
    tell people so, in a sentence by column. `empty` are those without any value.
    """

    delimiter: str
    columns: tuple[str, ...]
    has_rows: bool
    decimal: str = ""
    date_format: str = ""
    timestamp_format: str = ""
    nulls: tuple[str, ...] = ()
    slashed: frozenset[str] = frozenset()
    day_first: dict[str, bool] = field(default_factory=dict)
    texts: frozenset[str] = frozenset()
    empty: frozenset[str] = frozenset()
    notes: Mapping[str, str] = field(default_factory=dict)


def look_at(source: Source, path: Path, name: str) -> CsvLook:
    """Look at the first rows of a CSV in UTF-8; `name` is what people know it by.

    Raises `SourceError` if it has no header, a row is short or long, or it is no CSV at all.
    """
    sample = _sample(source, path, name)
    delimiter = source.delimiter or _delimiter(sample.text)
    header, rows = _records(source, name, sample, delimiter)
    columns = _checked_header(source, name, header)
    return _Columns(source, columns, rows).look(delimiter)


def header_of(source: Source, path: Path, name: str, delimiter: str) -> tuple[str, ...]:
    """Return the names of a CSV's columns. Raises `SourceError` like `look_at`."""
    header, _ = _records(source, name, _sample(source, path, name), delimiter, most_rows=0)
    return _checked_header(source, name, header)


@dataclass(frozen=True, slots=True)
class _Sample:
    text: str
    is_whole: bool


def _sample(source: Source, path: Path, name: str) -> _Sample:
    try:
        with path.open("rb") as file:
            sample = file.read(SAMPLE_BYTES)
    except OSError as error:
        reason = error.strerror or "no reason given"
        raise _unusable(source, f"{name}: {reason}") from None
    return _Sample(sample.decode("utf-8-sig", errors="replace"), len(sample) < SAMPLE_BYTES)


def _delimiter(text: str) -> str:
    """Return the delimiter that splits the header and most rows into equally many cells."""
    lines = text.splitlines(keepends=True)[:ROWS_FOR_DELIMITER]

    def quality(delimiter: str) -> tuple[int, int]:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            return (0, 0)
        width = widths[0] if widths else 0
        return (widths.count(width) * (width > 1), width)

    return max(DELIMITERS, key=quality)


def _records(
    source: Source,
    name: str,
    sample: _Sample,
    delimiter: str,
    most_rows: int = MOST_ROWS_LOOKED_AT,
) -> tuple[list[str], list[list[str]]]:
    """Return the header and the first rows, all as wide as the header."""
    reader = csv.reader(io.StringIO(sample.text, newline=""), delimiter=delimiter)
    found: list[tuple[int, list[str]]] = []
    try:
        for cells in reader:
            if cells:
                found.append((reader.line_num, cells))
            if len(found) > most_rows:
                break
        else:
            if not sample.is_whole and len(found) > 1:
                # The last row is cut in the middle.
                found.pop()
    except csv.Error:
        problem = (
            f"line {reader.line_num} of {name} isn't CSV; perhaps a quotation mark isn't closed"
        )
        raise _unusable(source, problem) from None
    if not found:
        raise _unusable(source, f"{name} is empty")
    (_, header), *rows = found
    for line, cells in rows:
        if len(cells) != len(header):
            fields = "1 field" if len(cells) == 1 else f"{len(cells)} fields"
            raise _unusable(
                source, f"line {line} of {name} has {fields}, its first line {len(header)}"
            )
    return header, [cells for _, cells in rows]


def _checked_header(source: Source, name: str, header: Sequence[str]) -> tuple[str, ...]:
    # A column without a name gets DuckDB's.
    columns = tuple(each.strip() or f"column{at}" for at, each in enumerate(header))
    if len(columns) > MOST_COLUMNS:
        problem = f"{name} has {len(columns):,} columns, and {MOST_COLUMNS:,} at most can be read"
        raise _unusable(source, problem)
    written = [each for each in map(str.strip, header) if each]
    data = [each for each in written if NUMBER.fullmatch(each) or DAY_AND_MONTH.fullmatch(each)]
    if not written or len(data) * 2 > len(written):
        raise _unusable(source, f"the first line of {name} doesn't name the columns")
    seen: dict[str, str] = {}
    for each in columns:
        if (other := seen.get(each.casefold())) is not None:
            problem = f"two columns of {name} are called {other}; give one another name"
            raise _unusable(source, problem)
        seen[each.casefold()] = each
    return columns


def _unusable(source: Source, problem: str) -> SourceError:
    return SourceError(source.name, f"{source.name} can't be used: {problem}.")


class _Columns:
    """Looks at the values of each column."""

    def __init__(self, source: Source, columns: tuple[str, ...], rows: list[list[str]]) -> None:
        self._source = source
        self._columns = columns
        self._rows = rows
        self._nulls: set[str] = set(source.nulls)
        self._has_commas = False
        self._formats: dict[str, str] = {}  # by "date" and "timestamp"
        self._slashed: set[str] = set()
        self._day_first: dict[str, bool] = {}
        self._texts: set[str] = {each for each, type_ in source.types.items() if type_ == "VARCHAR"}
        self._empty: set[str] = set()
        self._notes: dict[str, str] = {}

    def look(self, delimiter: str) -> CsvLook:
        values = zip(*self._rows, strict=True) if self._rows else ((),) * len(self._columns)
        for name, cells in zip(self._columns, values, strict=True):
            type_ = self._source.types.get(name, "")
            if not type_ or type_.startswith(TIMES):
                # Look at each distinct value once, in order, because messages quote the first.
                self._look_at(name, dict.fromkeys(map(str.strip, cells)))
        return CsvLook(
            delimiter=delimiter,
            columns=self._columns,
            has_rows=bool(self._rows),
            decimal=self._source.decimal or ("," if self._has_commas else ""),
            date_format=self._source.date_format or self._formats.get("date", ""),
            timestamp_format=self._formats.get("timestamp", ""),
            nulls=tuple(sorted(self._nulls)),
            slashed=frozenset(self._slashed),
            day_first=self._day_first,
            texts=frozenset(self._texts),
            empty=frozenset(self._empty),
            notes=self._notes,
        )

    def _look_at(self, name: str, cells: Iterable[str]) -> None:
        written = [each for each in cells if each]
        values = [each for each in written if each not in self._nulls and each not in NULL_WORDS]
        if not values:
            self._empty.add(name)
        elif all(map(DAY_AND_MONTH.fullmatch, values)):
            self._slashed.add(name)
            self._look_at_dates(name, values)
        elif all(map(LONG_CODE.fullmatch, values)):
            self._texts.add(name)
        elif all(map(ANY_NUMBER.fullmatch, values)):
            self._look_at_numbers(name, values)
        elif all(map(ISO_DATE.fullmatch, values)):
            pass
        else:
            # In a column of text, a dash may be a value.
            return
        self._nulls |= {each for each in written if each in NULL_WORDS} if values else set()

    def _look_at_numbers(self, name: str, values: list[str]) -> None:
        with_commas = [each for each in values if "," in each]
        if not with_commas or self._source.decimal == ",":
            return
        first = shortened(with_commas[0])
        if self._source.decimal == ".":
            self._read_as_text(name, f"{first} has a comma. Write numbers without commas.")
        elif all(map(THOUSANDS.fullmatch, with_commas)):
            advice = self._advice(
                "Write it without a comma", 'if it is a decimal, set decimal = ","'
            )
            self._read_as_text(name, f"{first} may be a large number or a decimal. {advice}")
        elif any("." in each for each in values):
            self._read_as_text(name, "it has decimals with a comma and a point.")
        else:
            self._has_commas = True

    def _read_as_text(self, name: str, why: str) -> None:
        self._texts.add(name)
        # A type in the definition decides, whatever the values look like.
        if name not in self._source.types:
            self._notes[name] = f"{shortened(name)}{AS_TEXT}: {why}"

    def _advice(self, change: str, setting: str) -> str:
        if self._source.kind == "upload":
            return f"{change} and upload the file again."
        return f"{change}, or {setting} for {self._source.name} in sources.toml."

    def _look_at_dates(self, name: str, values: list[str]) -> None:
        if date_format := self._source.date_format:
            wrong = next((each for each in values if not _is_date(each, date_format)), "")
            if wrong:
                self._read_as_text(name, f"{wrong} isn't a date as date_format says.")
            return
        found = [found for each in values if (found := DAY_AND_MONTH.fullmatch(each))]
        separators = {each[2] for each in found}
        most_first = max(int(each[1]) for each in found)
        most_second = max(int(each[3]) for each in found)
        if separators == {"."} or most_first > 12 >= most_second:
            day_first = True
        elif most_second > 12 >= most_first:
            day_first = False
        else:
            advice = self._advice(
                "Write dates as 2025-12-31", 'set date_format = "%d/%m/%Y" or "%m/%d/%Y"'
            )
            why = f"in {values[0]} the day or the month may come first. {advice}"
            self._read_as_text(name, why)
            return
        times = {each[5] and (":%S" if each[6] else ":%M") for each in found}
        if len(separators) > 1 or len(times) > 1:
            self._read_as_text(name, "its dates are written in several ways.")
            return
        separator = separators.pop()
        year = "%Y" if len(found[0][4]) == 4 else "%y"
        parts = ("%d", "%m", year) if day_first else ("%m", "%d", year)
        written = separator.join(parts)
        time = times.pop()
        kind = "timestamp" if time else "date"
        if time:
            written += " %H:%M:%S" if time == ":%S" else " %H:%M"
        if self._formats.setdefault(kind, written) != written:
            self._read_as_text(name, "its dates are written differently than in columns before it.")
            return
        self._day_first[name] = day_first


def _is_date(text: str, date_format: str) -> bool:
    try:
        datetime.strptime(text, date_format)
    except ValueError:
        return False
    return True
