"""Names the way people type them: compared without regard to case, accents and spaces."""

from __future__ import annotations

import unicodedata


def name_key(name: str) -> str:
    """Return what two spellings of a name have in common: "  José  LEAL" and "jose leal"."""
    if name.isascii():
        return " ".join(name.lower().split())
    apart = unicodedata.normalize("NFKD", name.casefold())
    kept = (each for each in apart if not unicodedata.combining(each))
    return " ".join("".join(kept).split())
