"""What a text costs: its encoding and its number of segments.

Twilio bills by the segment: 160 characters of GSM 03.38, or 70 of UCS-2 as soon as one character
is outside of GSM. Segments of a split text hold a little less, because each carries a header.
https://www.twilio.com/docs/glossary/what-sms-character-limit
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_TWO_UNITS = frozenset("^{}\\[~]|€\f")
GSM = GSM_BASIC | GSM_TWO_UNITS
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
