"""Names and texts quoted for SQL, so that neither can become anything else."""

from __future__ import annotations

import re

PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


def folded(name: str) -> str:
    """Return a name as DuckDB compares names: A to Z become a to z, other letters stay.

    Python's own `casefold` treats more letters as equal than DuckDB does.
    """
    return name.encode(errors="replace").lower().decode()


def identifier(name: str) -> str:
    """Return a name in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def readable(name: str) -> str:
    """Return a name as a person writes it: in quotes only if it needs them."""
    return name if PLAIN.fullmatch(name) else identifier(name)


def text(value: str) -> str:
    """Return a text in single quotes."""
    return "'" + value.replace("'", "''") + "'"
