"""Names and texts as SQL writes them, so that neither can become anything else."""

from __future__ import annotations

import re

PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


def folded(name: str) -> str:
    """Return a name as SQL compares names: A to Z are a to z, and other letters are themselves.

    Python's own `casefold` takes more letters for each other than DuckDB does.
    """
    return name.encode(errors="replace").lower().decode()


def identifier(name: str) -> str:
    """Return a name in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def readable(name: str) -> str:
    """Return a name as a person writes it: in quotes only if it needs some."""
    return name if PLAIN.fullmatch(name) else identifier(name)


def text(value: str) -> str:
    """Return a text in single quotes."""
    return "'" + value.replace("'", "''") + "'"
