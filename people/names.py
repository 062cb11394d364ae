"""Names as people type them, compared without case, accents and spaces; and counts in words."""

from __future__ import annotations

import unicodedata


def name_key(name: str) -> str:
    """Return a key that is the same for two spellings of a name: " José LEAL" and "jose leal"."""
    if name.isascii():
        return " ".join(name.lower().split())
    apart = unicodedata.normalize("NFKD", name.casefold())
    kept = (each for each in apart if not unicodedata.combining(each))
    return " ".join("".join(kept).split())


def number_of_people(count: int) -> str:
    """Return "1 person" or "3 people"."""
    return f"{count:,} {'person' if count == 1 else 'people'}"
