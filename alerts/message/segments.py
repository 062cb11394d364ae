"""What a text costs: its encoding and its number of segments.

Twilio bills by the segment: 160 characters of GSM 03.38, or 70 of UCS-2 as soon as one character
is outside of GSM. Segments of a split text hold a little less, because each carries a header.
https://www.twilio.com/docs/glossary/what-sms-character-limit
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Literal

GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_TWO_UNITS = frozenset("^{}\\[~]|€\f")
GSM = GSM_BASIC | GSM_TWO_UNITS
# By the names that people know. All others have Unicode's.
INVISIBLE_NAMES = {
    "\t": "tab",
    "\u00a0": "no-break space",
    "\u00ad": "soft hyphen",
    "\u200b": "zero-width space",
    "\u200d": "zero-width joiner",
    "\u202f": "narrow no-break space",
    "\ufeff": "byte order mark",
}
# The longest text that Twilio takes.
MOST_TEXT_CHARACTERS = 1_600


@dataclass(frozen=True, slots=True)
class Segments:
    """How a text is sent: `units` of its encoding, in `count` segments, each of which is billed.

    `costlier` holds the distinct characters that force UCS-2, in order of appearance.
    """

    encoding: Literal["GSM-7", "UCS-2"]
    units: int
    count: int
    costlier: tuple[str, ...]


def count_segments(text: str) -> Segments:
    """Return how Twilio would encode, split and bill `text`."""
    costlier = tuple(dict.fromkeys(c for c in text if c not in GSM))
    if costlier:
        characters = [len(c.encode("utf-16-be", "surrogatepass")) // 2 for c in text]
        return Segments("UCS-2", sum(characters), _parts(characters, 70, 67), costlier)
    characters = [2 if c in GSM_TWO_UNITS else 1 for c in text]
    return Segments("GSM-7", sum(characters), _parts(characters, 160, 153), ())


def character_name(character: str) -> str:
    """Return a character as a sentence can show it: by its name if it can't be seen alone."""
    # Marks (M) join the letter before them; separators (Z) and others (C) are blank.
    if unicodedata.category(character)[0] not in "MZC":
        return character
    unnamed = f"U+{ord(character):04X}"
    return INVISIBLE_NAMES.get(character) or unicodedata.name(character, unnamed).lower()


def composed_if_cheaper(text: str) -> str | None:
    """Return the text with each letter and its accents as one character, if that costs less.

    Macs and some phones write é as two characters, and the second isn't in GSM 03.38. What people
    read stays the same. https://unicode.org/reports/tr15/
    """
    composed = unicodedata.normalize("NFC", text)
    after, before = count_segments(composed), count_segments(text)
    is_cheaper = (after.count, after.encoding) != (before.count, before.encoding)
    return composed if is_cheaper and after.count <= before.count else None


def savings(text: str) -> str:
    """Say what the composed text would save, in a sentence; "" if nothing."""
    composed = composed_if_cheaper(text)
    if composed is None:
        return ""
    after, before = count_segments(composed), count_segments(text)
    joined = next(c for c in composed if c not in text)
    instead = f" instead of {before.count}" if after.count < before.count else ""
    return (
        f"With {joined} written as one character, not two, it is {in_words(after)}{instead}, in "
        f"{after.encoding}."
    )


def in_words(segments: Segments) -> str:
    """Return "1 segment" or "2 segments"."""
    return "1 segment" if segments.count == 1 else f"{segments.count} segments"


def _parts(characters: list[int], alone: int, joined: int) -> int:
    """Count the segments; a character of two units is never split."""
    if sum(characters) <= alone:
        return 1 if characters else 0
    parts, room = 1, joined
    for units in characters:
        if units > room:
            parts, room = parts + 1, joined
        room -= units
    return parts
