"""How a text is encoded, and into how many segments: that is what it costs.

Twilio bills by the segment: 160 characters of GSM 03.38, or 70 of UCS-2 as soon as one character
is outside of GSM. Segments of a split text hold a little less, because each carries a header.
https://www.twilio.com/docs/glossary/what-sms-character-limit

A messaging service with Smart Encoding writes about 270 characters another way, so that a text
needn't be UCS-2: `¼` is sent as `1/4`. Twilio's list of texts then has the changed words.
https://www.twilio.com/docs/messaging/services/smart-encoding-char-list
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
# Names that people know. All other characters go by Unicode's names.
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
# What Smart Encoding writes another way. Half of the characters, such as full-width letters, are
# covered by Unicode's compatibility normalization; the others are here.
_REPLACED: dict[str, str] = {
    '"': "\u00ab\u00bb\u201c\u201d\u201e\u201f\u02ba\u02ee\u275d\u275e\u301d\u301e",
    "'": "\u2018\u2019\u201b\u02b9\u02bb\u02bc\u02bd\u02c8\u02ca\u02cb\u00b4\u0060\u275b\u275c"
    "\u0313\u0314\ufe10\ufe11",
    "/": "\u00f7\u0337\u0338\u2044\u2215\u29f8",
    "1/4": "\u00bc",
    "1/2": "\u00bd",
    "3/4": "\u00be",
    "\\": "\u20e5\u29f5\u29f9",
    "_": "\u0332\u2017",
    "|": "\u20d2\u20d3\u2223\u23b8\u23b9\u23d0\u239c\u239f",
    # Twilio doesn't list the non-breaking hyphen and the figure dash, which others replace.
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2022\u2043\u23bc\u23bd",
    "!": "\u01c3",
    "!!": "\u203c",
    ",": "\u0326\u201a\u3001\ufe51\uff64",
    "(": "\u2768\u276a\u27ee\u2985",
    ")": "\u2769\u276b\u27ef\u2986",
    "*": "\u204e\u2217\u229b\u2722\u2723\u2724\u2725\u2731\u2732\u2733\u273a\u273b\u273c\u273d"
    "\u2743\u2749\u274a\u274b\u29c6",
    "+": "\u02d6",
    ".": "\u3002\uff61",
    "...": "\u2026",
    ":": "\u02d0\u02f8\u2982\ua789",
    ";": "\u204f",
    "<": "\u2039",
    "=": "\u0347\ua78a",
    ">": "\u203a",
    "^": "\u02c6\u0302\u1dcd",
    "{": "\u2774",
    "}": "\u2775",
    "~": "\u02dc\u02f7\u0303\u0330\u0334\u223c",
    # White space is compared by words, so its kind and length don't matter.
    " ": "\u0080\u008d\u0090\u009b\u009f\u2001\u2028\u2029",
    "": "\u0000\u0003\u0004\u0010\u0011\u0012\u0013\u0014\u0017\u0019\u200b\u200c\u2060\ufeff",
}
_SMALL_CAPITALS = dict(
    zip(
        "ABCDEFGHIJKLMNOPRSTUVWYZ",
        "\u1d00\u0299\u1d04\u1d05\u1d07\ua730\u0262\u029c\u026a\u1d0a\u1d0b\u029f\u1d0d\u0274\u1d0f"
        "\u1d18\u0280\ua731\u1d1b\u1d1c\u1d20\u1d21\u028f\u1d22",
        strict=True,
    )
)
REPLACEMENTS = str.maketrans(
    {each: plain for plain, those in (_REPLACED | _SMALL_CAPITALS).items() for each in those}
)


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
    apart = {each: unicodedata.normalize("NFD", each) for each in composed}
    joined = next((each for each, parts in apart.items() if each != parts and parts in text), None)
    # Some characters have a twin that only looks the same, such as the sign for ohm.
    written = f"{joined} written as one character" if joined else "common characters"
    instead = f" instead of {before.count}" if after.count < before.count else ""
    return f"With {written}, it is {in_words(after)}{instead}, in {after.encoding}."


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


def is_same_text(one: str, other: str) -> bool:
    """Whether one text may be the other after Smart Encoding, whatever their white space."""
    # Twice, because a combining mark in the list, such as a tilde, may be replaced or may first
    # become one character with its letter.
    return _words(one) == _words(other) or _composed_words(one) == _composed_words(other)


def _words(text: str) -> list[str]:
    return unicodedata.normalize("NFKC", text.translate(REPLACEMENTS)).split()


def _composed_words(text: str) -> list[str]:
    return _words(unicodedata.normalize("NFC", text))
