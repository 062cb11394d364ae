"""Names of those who sign in: which can be used, and when two spellings are the same name."""

from __future__ import annotations

import unicodedata

MOST_NAME_CHARACTERS = 200
# Letters of no script (surrogates, unassigned), line ends, and what changes how a line is read.
REFUSED_CATEGORIES = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}


def is_usable(name: str) -> bool:
    """Return whether a name can stand in alerts, lists and logs: one short line of characters."""
    return (
        0 < len(name) <= MOST_NAME_CHARACTERS
        and name == name.strip()
        and not any(unicodedata.category(each) in REFUSED_CATEGORIES for each in name)
    )


def name_key(name: str) -> str:
    """Return what two spellings of a name have in common: "Maya  ORTIZ" and "maya ortiz".

    Accents count: two names that differ in one are two people.
    """
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
