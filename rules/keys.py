"""What makes two rows the same thing: the key's canonical text, and its hash.

A key has the same text whatever type a source was read with: 7 as an INTEGER, as a BIGINT, as a
DECIMAL or in a column of texts. Otherwise, if one cell of a file became "N/A", all of its rows
would be told again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rules.rule import WHOLE_ROW

if TYPE_CHECKING:
    from rules.sandbox import Column, QueryResult

Value = str | int | float | bool | None

# In this column a query may say itself which rows are bad; false proves that a row is good.
BAD_COLUMN = "bad"
# 80 bits: among a billion keys, the chance that two are the same is one in a million.
HASH_CHARACTERS = 20
MOST_WORDS_CHARACTERS = 80
INEXACT = re.compile(r"\b(DOUBLE|FLOAT|REAL)\b", re.IGNORECASE)
MOST_NAMED = 20  # columns in one sentence


class KeyProblem(Exception):
    """Why rows can't be told apart, in a sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that a query lists: all rows with one key.

    `row` is the first of them, in the order of the query's columns, and `values` are the key's
    cells by column. `to` are the distinct texts in the column of recipients. `is_bad` is None if
    the query doesn't say. `problem` is why only the owner can be told, or "".
    """

    key_hash: str
    values: Mapping[str, Value]
    row: tuple[Value, ...]
    to: tuple[str, ...] = ()
    is_bad: bool | None = True
    problem: str = ""

    @property
    def words(self) -> str:
        """The key in words for people: "1407", or "1407 T3"."""
        return words_of(self.values)


@dataclass(frozen=True, slots=True)
class Cases:
    """Everything that a check lists, by the hash of its key.

    With `says_good` the query has a column `bad`: a key that isn't listed is neither bad nor good.
    """

    columns: tuple[str, ...] = ()
    by_hash: Mapping[str, Case] = field(default_factory=dict)
    says_good: bool = False

    @property
    def bad(self) -> dict[str, Case]:
        """Those that are bad, in the order of the query."""
        return {each: case for each, case in self.by_hash.items() if case.is_bad}

    @property
    def good(self) -> frozenset[str]:
        """Those that the query says are good."""
        found = (each for each, case in self.by_hash.items() if case.is_bad is False)
        return frozenset(found) if self.says_good else frozenset()

    def cells(self, case: Case) -> dict[str, Value]:
        """The case's first row, by column."""
        return dict(zip(self.columns, case.row, strict=True))


def cases_in(result: QueryResult, key: Sequence[str], to_column: str = "") -> Cases:
    """Return what a query lists. Rows with one key are one case, bad if one of them is.

    Raises `KeyProblem` if a column isn't there, if the key could change by rounding, or if `bad`
    isn't a BOOLEAN.
    """
    columns = tuple(each.name for each in result.columns)
    bad_at = _bad_place(result.columns)
    places = _key_places(result.columns, key, bad_at)
    to_at = place_of(to_column, columns, "The column of recipients") if to_column else None
    names = [columns[place] for place in places]
    canonical = [_canonical_of(result.columns[place].type) for place in places]
    found: dict[str, Case] = {}
    further: dict[str, dict[str, None]] = {}  # recipients in rows after a key's first
    for row in result.rows:
        cells = [row[place] for place in places]
        texts = zip(canonical, cells, strict=True)
        key_hash = hash_of([None if cell is None else text(cell) for text, cell in texts])
        is_bad = True if bad_at is None else _truth(row[bad_at])
        to = (_cell_text(row[to_at]),) if to_at is not None else ()
        known = found.get(key_hash)
        if known is None or (is_bad and not known.is_bad):
            values = dict(zip(names, cells, strict=True))
            found[key_hash] = Case(key_hash, values, row, to, is_bad, _empty_cells(values))
            further.pop(key_hash, None)
        elif to and is_bad:
            further.setdefault(key_hash, {})[to[0]] = None
    for key_hash, others in further.items():
        case = found[key_hash]
        found[key_hash] = replace(case, to=tuple(dict.fromkeys((*case.to, *others))))
    return Cases(columns, found, bad_at is not None)


def hash_of(texts: Sequence[str | None]) -> str:
    """Return the hash of a key whose cells have these canonical texts; None for an empty one."""
    whole = json.dumps(list(texts), ensure_ascii=False)
    return hashlib.sha256(whole.encode(errors="surrogatepass")).hexdigest()[:HASH_CHARACTERS]


def words_of(values: Mapping[str, Value]) -> str:
    """Return a key with these cells in words for people, shortened."""
    words = " ".join(shown(each) or "(empty)" for each in values.values())
    words = " ".join(words.split())
    if len(words) <= MOST_WORDS_CHARACTERS:
        return words
    return f"{words[: MOST_WORDS_CHARACTERS - 1].rstrip()}…"


def shown(value: Value) -> str:
    """Return a cell as people read it: 374.0 is 374. "" if it is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def place_of(name: str, columns: Sequence[str], what: str) -> int:
    """Return the place of a column, however it is capitalized. Raises `KeyProblem`.

    `what` begins the sentence if there is none.
    """
    for same in (str, str.casefold):
        for place, column in enumerate(columns):
            if same(column) == same(name):
                return place
    known = ", ".join(columns[:MOST_NAMED])
    raise KeyProblem(f"{what}, {name}, isn't in the query. It has: {known}.")


def _bad_place(columns: Sequence[Column]) -> int | None:
    places = [place for place, each in enumerate(columns) if each.name.casefold() == BAD_COLUMN]
    if not places:
        return None
    column = columns[places[0]]
    if column.type.upper() != "BOOLEAN":
        raise KeyProblem(
            f"The column {column.name} says which rows are bad, so it must be true or false: it is "
            f"{column.type}. Compare it with something, or give it another name."
        )
    return places[0]


def _key_places(columns: Sequence[Column], key: Sequence[str], bad_at: int | None) -> list[int]:
    names = [each.name for each in columns]
    if tuple(key) == WHOLE_ROW:
        places = [place for place in range(len(columns)) if place != bad_at]
    else:
        places = [place_of(each, names, "The key column") for each in key]
    for place in places:
        column = columns[place]
        if INEXACT.search(column.type):
            raise KeyProblem(
                f"{column.name} is a {column.type}, which is never quite the same twice, so a row "
                f"can't be known by it: leave it out of the key, or write "
                f'CAST("{column.name}" AS DECIMAL(18, 3)) AS "{column.name}".'
            )
    return places


def _truth(value: Value) -> bool | None:
    return None if value is None else bool(value)


def _empty_cells(values: Mapping[str, Value]) -> str:
    """Say that cells of a key are empty: such a row can't be recognized with certainty."""
    if all(each is not None for each in values.values()):
        return ""
    empty = [name for name, value in values.items() if value is None]
    if len(empty) == 1:
        return f"{empty[0]} is empty in this row, so it isn't clear what it is about."
    return f"{', '.join(empty)} are empty in this row, so it isn't clear what it is about."


def _cell_text(value: Value) -> str:
    return shown(value).strip()


def _plain(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _decimal(value: Value) -> str:
    """Write 7.00 as 7: the number of places belongs to the type, which may change."""
    text = str(value)
    if "." not in text:
        return text
    shortened = text.rstrip("0").rstrip(".")
    return "0" if shortened in {"", "-", "-0"} else shortened


def _instant(value: Value) -> str:
    """Write a moment in UTC: its text depends on the rule's time zone, which may change."""
    text = str(value)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text  # "infinity", or a year that Python doesn't know
    return text if moment.tzinfo is None else moment.astimezone(UTC).isoformat()


def _canonical_of(type: str) -> Callable[[Value], str]:
    upper = type.upper()
    if upper.startswith(("DECIMAL", "NUMERIC")):
        return _decimal
    if upper in {"TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ"}:
        return _instant
    return _plain
