"""Read a page's inputs: of the right kind and of sensible length, or refused in a sentence.

A browser sends what its page holds, but any program can open a session and send anything it likes.
"""

from __future__ import annotations

import math
from collections.abc import Container
from pathlib import Path

from shiny import Inputs

from alerts import UnusableInput
from alerts.log_lines import LimitedLog
from alerts.time_zones import find_zone

log = LimitedLog(__name__)

# Enough for any message. Longer texts are refused before anything looks into them.
MOST_CHARACTERS = 20_000
MOST_SEARCH_CHARACTERS = 100


def text(value: object, field: str) -> str:
    """Return the text in an input. Raises `UnusableInput`, which names the `field`."""
    if not isinstance(value, str):
        raise _wrong_kind(value, field, "a text")
    if len(value) > MOST_CHARACTERS:
        words = field.replace("_", " ")
        raise UnusableInput(
            field,
            f"The {words} holds {MOST_CHARACTERS:,} characters at most; "
            f"this one has {len(value):,}.",
        )
    return value


def choice(value: object, field: str, choices: Container[str]) -> str:
    """Return which of its choices an input holds. Raises `UnusableInput`."""
    if not isinstance(value, str) or value not in choices:
        raise _wrong_kind(value, field, "one of its choices")
    return value


def count(value: object, field: str, most: int) -> int:
    """Return the whole number that is chosen in an input. Raises `UnusableInput` above `most`."""
    found = whole_number(value) if isinstance(value, str) else None
    if found is None or found > most:
        raise _wrong_kind(value, field, "one of its choices")
    return found


def switch(value: object, field: str) -> bool:
    """Return whether an input is on. Raises `UnusableInput`."""
    if not isinstance(value, bool):
        raise _wrong_kind(value, field, "yes or no")
    return value


def number(value: object, field: str) -> float:
    """Return the number in an input, NaN if the input is empty. Raises `UnusableInput`."""
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _wrong_kind(value, field, "a number")
    try:
        return float(value)
    except OverflowError:
        return math.inf


def whole_number(text: str) -> int | None:
    """Return the whole number from 0 that a text from a page stands for; None for anything else."""
    # isdecimal alone would let through digits of other scripts, and int() refuses very long ones.
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def part(value: object, name: str) -> str:
    """Return a text out of an input that holds several, "" if there is none of that name.

    Characters that no database takes (lone surrogates and NUL) become U+FFFD.
    """
    found = value.get(name) if isinstance(value, dict) else None
    if not isinstance(found, str):
        return ""
    whole = found.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\0", "\ufffd")


def visitors_zone(input: Inputs, otherwise: str) -> str:
    """Return the time zone of the visitor's browser, or `otherwise` until one is known.

    A reactive read.
    """
    named = input.time_zone() if input.time_zone.is_set() else ""
    return named if isinstance(named, str) and named and find_zone(named) else otherwise


def uploaded(value: object) -> tuple[str, Path] | None:
    """Return the name and the place of the file in a file input, None if there is none.

    A page could name any path of this machine, so only paths in a folder that Shiny made for
    uploads are accepted. https://github.com/posit-dev/py-shiny/blob/main/shiny/_fileupload.py
    """
    first = value[0] if isinstance(value, (list, tuple)) and value else None
    name, place = part(first, "name"), part(first, "datapath")
    if not place or "\0" in place:
        return None
    path = Path(place).resolve()
    if not path.parent.parent.name.startswith("fileupload-"):
        log.warning("A page named a file that it didn't upload.")
        return None
    return name, path


def _wrong_kind(value: object, field: str, kind: str) -> UnusableInput:
    log.warning(f"A page sent a {type(value).__name__} as {field}, where it has {kind}.")
    words = field.replace("_", " ")
    return UnusableInput(field, f"What the page sent as {words} isn't {kind}: reload the page.")
