"""What a source may be called: a name that SQL takes without quotation marks."""

from __future__ import annotations

import re
from pathlib import Path

from people.names import name_key
from rules.sandbox.quoting import RESERVED

MOST_CHARACTERS = 60


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
