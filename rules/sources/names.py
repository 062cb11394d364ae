"""What a source may be called: a name that SQL takes without quotation marks."""

from __future__ import annotations

import re
from pathlib import Path

from people.names import name_key

MOST_CHARACTERS = 60
# SELECT * FROM duckdb_keywords() WHERE keyword_category = 'reserved', and those that can't be a
# table's name. https://duckdb.org/docs/stable/sql/keywords_and_identifiers
_WORDS = (
    "all analyse analyze and anti any array as asc asof asymmetric at authorization binary both "
    "case cast check collate collation column concurrently constraint create cross default "
    "deferrable desc describe distinct do else end except false fetch for foreign freeze from full "
    "generated glob grant group having ilike in initially inner intersect into is isnull join "
    "lambda lateral leading left like limit natural not notnull null offset on only or order "
    "outer overlaps pivot pivot_longer pivot_wider placing positional primary qualify references "
    "returning right select semi show similar some summarize symmetric table tablesample "
    "then to trailing true union unique unpivot using variadic verbose when where window "
    "with"
)
RESERVED = frozenset(_WORDS.split())


def problem_of(name: str) -> str:
    """Say in a few words why a source can't have this name; "" if it can."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        return "needs a name of small letters, digits and _ that starts with a letter"
    if len(name) > MOST_CHARACTERS:
        return f"needs a name of {MOST_CHARACTERS} characters at most"
    if name in RESERVED:
        return "needs another name: that one is a word of SQL"
    return ""


def name_of_file(file_name: str) -> str:
    """Return the name of a source for an uploaded file: "Lots 2026.csv" becomes lots_2026."""
    words = re.sub(r"[^a-z0-9]+", "_", name_key(Path(file_name).stem)).strip("_")
    name = words if words[:1].isalpha() else f"file_{words}".rstrip("_")
    return f"{name}_file" if name in RESERVED else name[:MOST_CHARACTERS]
