"""DuckDB's errors in one sentence, with their place in the query, and the fix where it is known.

Expects the setting `errors_as_json`, by which DuckDB tells the place.
"""

from __future__ import annotations

import json
import re
from difflib import get_close_matches
from typing import Any

import duckdb

from rules.sandbox.limits import TOO_MUCH_MEMORY
from rules.sandbox.query import Fix, Kind, QueryError, error_at
from rules.sandbox.quoting import identifier, readable

KEYWORDS = (
    *("SELECT", "FROM", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "JOIN", "WITH", "UNION"),
    *("BETWEEN", "DISTINCT", "INTERVAL", "QUALIFY", "WINDOW", "OFFSET", "EXCEPT", "INTERSECT"),
)
NOT_FOUND = re.compile(r'(?:Referenced column|does not have a column named) "((?:[^"]|"")+)"')
TABLE_NOT_FOUND = re.compile(r'Referenced table "((?:[^"]|"")+)" not found')
CANDIDATES = re.compile(r'(?:Candidate (?:bindings|tables)|Did you mean):?:?\s*"((?:[^"]|"")+)"')
UNEXPECTED = re.compile(r'syntax error at or near "(.*)"', re.DOTALL)
# `/srv/callboard/data/lab.csv` becomes `lab.csv`.
PATHS = re.compile(r"""(?<![\w.])/(?:[^/\s'"]+/)+""")
LONGEST_SENTENCE = 400

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


def in_words(error: Exception, sql: str, before: int = 0) -> QueryError:
    """Return the error in words. `before`: how many bytes of SQL stood before the query."""
    if isinstance(error, MemoryError):
        return QueryError(TOO_MUCH_MEMORY, "limit")
    details = details_of(error)
    message = str(details["exception_message"])
    kind = next((kind for each, kind in _KINDS if isinstance(error, each)), "failed")
    if kind == "limit" or "Out of Memory" in message or "bad_alloc" in message:
        return QueryError(TOO_MUCH_MEMORY, "limit")
    sentence, fix = _sentence(message, sql)
    if fix or "not found" in message:
        kind = "name" if kind == "syntax" and not UNEXPECTED.match(message) else kind
    start, length = _place(details, before)
    return error_at(sql, start, length, sentence, kind, fix=fix)


def details_of(error: Exception) -> dict[str, Any]:
    """Return what DuckDB says of an error; `exception_message` is always there."""
    text = str(error)
    start = text.find("{")
    if start >= 0:
        try:
            found = json.loads(text[start:])
        except ValueError:
            found = None
        if isinstance(found, dict) and "exception_message" in found:
            return found
    return {"exception_message": text.split(": ", 1)[-1]}


def one_line(message: str) -> str:
    """Return the first sentence or so of a message, without the machine's paths."""
    words = re.split(r"\n\s*\n|\n\s*(?:LINE|Candidate|Did you mean)", message, maxsplit=1)[0]
    words = PATHS.sub("", " ".join(words.split()))
    if len(words) > LONGEST_SENTENCE:
        words = words[: LONGEST_SENTENCE - 1] + "…"
    words = words[:1].upper() + words[1:]
    return words if words.endswith((".", "!", "?", "…")) else f"{words}."


def _place(details: dict[str, Any], before: int) -> tuple[int | None, int | None]:
    location = re.fullmatch(r"\[(\d+),(\d+)\]", str(details.get("location", "")))
    if location:
        return int(location[1]) - before, int(location[2])
    position = str(details.get("position", ""))
    return (int(position) - before, 0) if position.isdigit() else (None, None)


def _sentence(message: str, sql: str) -> tuple[str, Fix | None]:
    candidate = CANDIDATES.search(message)
    meant = candidate[1].replace('""', '"') if candidate else ""
    for pattern, what in ((NOT_FOUND, "column"), (TABLE_NOT_FOUND, "table")):
        if found := pattern.search(message):
            name = found[1].replace('""', '"')
            words = f"There is no {what} called {name}."
            if not meant or not _is_close(name, meant):
                return words, None
            return f"{words} Did you mean {meant}?", Fix(_as_written(name, sql), readable(meant))
    if unexpected := UNEXPECTED.match(message):
        return _unexpected(unexpected[1])
    return one_line(message), None


def _unexpected(word: str) -> tuple[str, Fix | None]:
    """Return what to say of a word where DuckDB's parser stopped."""
    if not word.strip():
        return "The query ends too early.", None
    close = get_close_matches(word.upper(), KEYWORDS, 1, 0.7)
    if close and close[0] != word.upper():
        meant = close[0].lower() if word.islower() else close[0]
        return f"Did you mean {close[0]} instead of {word}?", Fix(word, meant)
    return (
        f"The query can't be read from {one_line(word).rstrip('.')} on: check what is before it.",
        None,
    )


def _is_close(name: str, meant: str) -> bool:
    """Whether one is the other with a few letters changed or added."""
    one, other = name.casefold(), meant.casefold()
    return one in other or other in one or bool(get_close_matches(one, [other], 1, 0.6))


def _as_written(name: str, sql: str) -> str:
    in_quotes = identifier(name)
    return in_quotes if in_quotes in sql else name
