"""vCards 3.0 and 4.0, as far as Callboard has a place for what they hold.

https://www.rfc-editor.org/rfc/rfc6350
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from alerts import UnusableInput

COLUMNS = ("Name", "Number", "Groups", "Language", "Time zone", "Notes")
# A line that begins with white space continues the line before it.
FOLD = re.compile(r"\r?\n[ \t]")
LINE = re.compile(
    r"(?:[\w-]+\.)?(?P<name>[\w-]+)(?P<parameters>(?:;(?:\"[^\"]*\"|[^:\"])*)?):(?P<value>.*)"
)
ESCAPED = re.compile(r"\\([\\,;nN:])")
# Types of numbers that can't be called.
NO_PHONE = re.compile(r"\b(fax|pager|modem)\b", re.IGNORECASE)
PREFERRED = re.compile(r"\bpref\b", re.IGNORECASE)


def read_vcards(text: str) -> list[tuple[str, ...]]:
    """Return a row of COLUMNS for each card; several numbers are separated by line breaks.

    Raises `UnusableInput` (field `file`) for older versions, which write text in another way.
    """
    cards: list[tuple[str, ...]] = []
    properties: list[tuple[str, str, str]] | None = None
    for name, parameters, value in _lines(text):
        if name == "BEGIN":
            properties = []
        elif name == "END" and properties is not None:
            cards.append(_row(properties))
            properties = None
        elif name == "VERSION" and value.strip() not in {"3.0", "4.0"}:
            raise UnusableInput(
                "file",
                f"These are vCards of version {value.strip()[:10]}. Export them as 3.0 or 4.0.",
            )
        elif properties is not None:
            properties.append((name, parameters, value))
    if not cards:
        raise UnusableInput("file", "This file has no complete vCard.")
    return cards


def _lines(text: str) -> Iterator[tuple[str, str, str]]:
    for line in FOLD.sub("", text).splitlines():
        found = LINE.fullmatch(line.strip())
        if found:
            yield found["name"].upper(), found["parameters"], found["value"]


def _row(properties: list[tuple[str, str, str]]) -> tuple[str, ...]:
    def values(wanted: str) -> list[str]:
        return [_text(value).strip() for name, _, value in properties if name == wanted]

    numbers = [
        (not PREFERRED.search(parameters), _text(value).strip())
        for name, parameters, value in properties
        if name == "TEL" and not NO_PHONE.search(parameters)
    ]
    groups = [
        _text(part).strip()
        for name, _, value in properties
        if name == "CATEGORIES"
        for part in re.split(r"(?<!\\),", value)
    ]
    return (
        next(filter(None, values("FN")), "") or _structured(properties),
        # The preferred number first; otherwise in the card's order.
        "\n".join(number for _, number in sorted(numbers, key=lambda each: each[0])),
        ";".join(groups),
        next(iter(values("LANG")), ""),
        next((zone for zone in values("TZ") if "/" in zone), ""),
        "\n".join(filter(None, [*values("TITLE"), *values("NOTE")])),
    )


def _structured(properties: list[tuple[str, str, str]]) -> str:
    """Return the name in N, whose parts are family name, given name, further ones."""
    value = next((value for name, _, value in properties if name == "N"), "")
    family, given, *_ = [*re.split(r"(?<!\\);", value), "", ""]
    return f"{_text(given)} {_text(family)}".strip()


def _text(value: str) -> str:
    return ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)
