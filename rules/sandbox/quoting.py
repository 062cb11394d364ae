"""Names and texts quoted for SQL, so that neither can become anything else."""

from __future__ import annotations

import re

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# The words that can't name a table or a column without quotes. DuckDB puts each in one category,
# "reserved" or "type_function": https://duckdb.org/docs/stable/sql/meta/duckdb_table_functions
_RESERVED = """
    all analyse analyze and anti any array as asc asof asymmetric at authorization binary both by
    case cast check collate collation column concurrently constraint create cross default deferrable
    desc describe distinct do else end except false fetch for foreign freeze from full glob group
    having ilike in initially inner intersect into is isnull join lambda lateral leading left like
    limit natural not notnull null offset on only or order outer overlaps pivot pivot_longer
    pivot_wider placing positional primary qualify references returning right select semi show
    similar some summarize symmetric table tablesample then to trailing true union unique unpack
    unpivot using variadic verbose when where window with
"""
RESERVED = frozenset(_RESERVED.split())


def folded(name: str) -> str:
    """Return a name as DuckDB compares names: A to Z become a to z, other letters stay.

    Python's own `casefold` treats more letters as equal than DuckDB does.
    """
    return name.encode(errors="replace").lower().decode()


def identifier(name: str) -> str:
    """Return a table's or column's name in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def readable(name: str) -> str:
    """Return a table's or column's name as a person writes it: in quotes only if it needs them.

    https://duckdb.org/docs/stable/sql/dialect/keywords_and_identifiers
    """
    is_plain = PLAIN.fullmatch(name) and folded(name) not in RESERVED
    return name if is_plain else identifier(name)


def text(value: str) -> str:
    """Return a text in single quotes. Compared with a date or number, DuckDB reads it as one."""
    return "'" + value.replace("'", "''") + "'"
