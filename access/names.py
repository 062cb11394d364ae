"""Names of those who sign in: which can be used, and when two spellings are the same name."""

from __future__ import annotations

import unicodedata

MOST_NAME_CHARACTERS = 200
# Characters that belong to no script (surrogates, unassigned), line ends, and marks that change how
# a line is shown.
REFUSED_CATEGORIES = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}


def is_usable(name: str) -> bool:
    """Return whether a name can be used in alerts, lists and logs: one short line of characters."""
    return (
        0 < len(name) <= MOST_NAME_CHARACTERS
        and name == name.strip()
        and not any(unicodedata.category(each) in REFUSED_CATEGORIES for each in name)
    )


def user_key(name: str) -> str:
    """Return a key that is the same for two spellings of a name: "Maya ORTIZ" and "maya ortiz".

    Accents count here, but not in `people.names.name_key`, which finds people: of two users whose
    names differ in an accent, neither may sign in as the other.
    """
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
