"""Which texts can be saved. Imports nothing, as the first page waits for what it imports."""

from __future__ import annotations


def is_whole(text: str) -> bool:
    """Return whether a text can be encoded: half an emoji (a lone surrogate) can't."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def can_be_kept(text: str) -> bool:
    """Return whether a column of any database can hold a text: PostgreSQL's hold no NUL.

    https://www.postgresql.org/docs/current/datatype-character.html
    """
    return "\0" not in text and is_whole(text)
