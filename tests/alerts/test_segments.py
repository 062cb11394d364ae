"""What a text costs, against a count made another way."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alerts.message.segments import (
    GSM_BASIC,
    GSM_TWO_UNITS,
    Segments,
    character_name,
    composed_if_cheaper,
    count_segments,
    savings,
)

# 3GPP TS 23.038, tables 6.2.1 and 6.2.1.1, row by row: another writing of the same alphabet.
ROWS = (
    "@£$¥èéùìòÇ\nØø\rÅå", "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ", " !\"#¤%&'()*+,-./", "0123456789:;<=>?",
    "¡ABCDEFGHIJKLMNO", "PQRSTUVWXYZÄÖÑÜ§", "¿abcdefghijklmno", "pqrstuvwxyzäöñüà",
)  # fmt: skip
TABLE = {c for row in ROWS for c in row} - {"\x1b"}


def reference(text: str) -> tuple[str, int, int]:
    """Encoding, units and segments, by cutting the text like a phone would: as units in a row."""
    if all(c in TABLE or c in "\f^{}\\[~]|€" for c in text):
        encoding, alone, joined = "GSM-7", 160, 153
        units = "".join("1" if c in TABLE else "2_" for c in text)
    else:
        encoding, alone, joined = "UCS-2", 70, 67
        units = "".join("1" if ord(c) < 0x10000 else "2_" for c in text)
    if len(units) <= alone:
        return encoding, len(units), min(len(units), 1)
    parts, rest = 0, units
    while rest:
        # If a segment would end inside a pair, the pair's first unit goes into the next segment.
        end = joined - 1 if rest[joined : joined + 1] == "_" else joined
        parts, rest = parts + 1, rest[end:]
    return encoding, len(units), parts


def counted(text: str) -> tuple[str, int, int]:
    found = count_segments(text)
    return found.encoding, found.units, found.count


def test_the_alphabet_is_the_standards():
    assert GSM_BASIC == TABLE
    assert len(GSM_BASIC) == 127
    assert set("\f^{}\\[~]|€") == GSM_TWO_UNITS


@pytest.mark.parametrize(
    ("text", "encoding", "units", "count"),
    [
        ("", "GSM-7", 0, 0),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),
        ("ä" * 160, "GSM-7", 160, 1),
        ("`", "UCS-2", 1, 1),
        ("ж" * 70, "UCS-2", 70, 1),
        ("ж" * 71, "UCS-2", 71, 2),
        ("ж" * 134, "UCS-2", 134, 2),
        ("ж" * 135, "UCS-2", 135, 3),
        ("🙂" * 35, "UCS-2", 70, 1),
        ("🙂" * 36, "UCS-2", 72, 2),
        ("🙂" * 66, "UCS-2", 132, 2),
        ("🙂" * 67, "UCS-2", 134, 3),  # 33 fit into 67 units: the 34th isn't torn in two
        ("a" * 66 + "🙂" + "a" * 66, "UCS-2", 134, 3),
    ],
)
def test_boundaries(text, encoding, units, count):
    assert counted(text) == (encoding, units, count)
    assert reference(text) == (encoding, units, count)


def test_what_makes_it_costlier():
    assert count_segments("plain").costlier == ()
    assert count_segments("“Grüße” – “🙂”") == Segments("UCS-2", 14, 1, ("“", "”", "–", "🙂"))


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("\t", "tab"),
        ("\u00a0", "no-break space"),
        ("\u00ad", "soft hyphen"),
        ("\u2009", "thin space"),
        ("\u200b", "zero-width space"),
        ("\u200c", "zero width non-joiner"),
        ("\u202f", "narrow no-break space"),
        ("\u2028", "line separator"),
        ("\u202e", "right-to-left override"),
        ("\ufeff", "byte order mark"),
        ("\ufe0f", "variation selector-16"),
        ("\u0301", "combining acute accent"),
        ("\x00", "U+0000"),
        ("\x1b", "U+001B"),
        ("\ue000", "U+E000"),
        ("“", "“"),
        ("🙂", "🙂"),
        ("é", "é"),
    ],
)
def test_what_a_character_is_called(character, name):
    assert character_name(character).casefold() == name.casefold()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("cafe\u0301", "With é written as one character, it is 1 segment, in GSM-7."),
        ("cafe\u0301 " * 12, "it is 1 segment instead of 2, in GSM-7."),
        ("u\u0308ber" + "x" * 200, "it is 2 segments instead of 4, in GSM-7."),
        ("ж" * 69 + "e\u0301", "it is 1 segment instead of 2, in UCS-2."),
        ("café cafe\u0301", "With é written as one character, it is 1 segment, in GSM-7."),
        ("e\u0323\u0302 " + "ж" * 67, "With ệ written as one character, it is 1 segment"),
        ("8 \u2126", "With common characters, it is 1 segment, in GSM-7."),
    ],
)
def test_what_composing_saves(text, says):
    assert says in savings(text)
    composed = composed_if_cheaper(text)
    assert composed is not None
    assert unicodedata.normalize("NFD", composed) == unicodedata.normalize("NFD", text)


@pytest.mark.parametrize("text", ["", "plain", "café", "cafe\u0301 “off”", "ж e\u0301", "x\u0301"])
def test_nothing_is_said_where_composing_saves_nothing(text):
    assert savings(text) == ""


@settings(max_examples=300)
@given(st.text(alphabet=st.sampled_from("a€ж🙂^\n\rΔ`"), max_size=400))
@example("a" * 152 + "€" * 90)
@example("ж" + "🙂" * 100)
def test_any_text_is_counted_like_the_reference(text):
    assert counted(text) == reference(text)


@settings(max_examples=200)
@given(st.text(max_size=300), st.text(max_size=20))
def test_more_text_never_costs_less(text, more):
    found = count_segments(text)
    assert found.count <= count_segments(text + more).count
    assert (found.count == 0) == (text == "")
    assert (found.encoding == "UCS-2") == bool(found.costlier)
