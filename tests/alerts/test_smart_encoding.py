"""Texts that Twilio's Smart Encoding changed are known again."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.message.segments import REPLACEMENTS, is_same_text

# Twilio's list by Unicode's names: another writing of it.
# https://www.twilio.com/docs/messaging/services/smart-encoding-char-list
BY_NAME = {
    "LEFT-POINTING DOUBLE ANGLE QUOTATION MARK": '"',
    "MODIFIER LETTER DOUBLE PRIME": '"',
    "HEAVY DOUBLE COMMA QUOTATION MARK ORNAMENT": '"',
    "DOUBLE PRIME QUOTATION MARK": '"',
    "FULLWIDTH QUOTATION MARK": '"',
    "MODIFIER LETTER TURNED COMMA": "'",
    "MODIFIER LETTER VERTICAL LINE": "'",
    "ACUTE ACCENT": "'",
    "GRAVE ACCENT": "'",
    "DIVISION SIGN": "/",
    "BIG SOLIDUS": "/",
    "FRACTION SLASH": "/",
    "DIVISION SLASH": "/",
    "VULGAR FRACTION ONE QUARTER": "1/4",
    "VULGAR FRACTION ONE HALF": "1/2",
    "VULGAR FRACTION THREE QUARTERS": "3/4",
    "REVERSE SOLIDUS OPERATOR": "\\",
    "SMALL REVERSE SOLIDUS": "\\",
    "DOUBLE LOW LINE": "_",
    "DIVIDES": "|",
    "VERTICAL LINE EXTENSION": "|",
    "HORIZONTAL SCAN LINE-7": "-",
    "HORIZONTAL BAR": "-",
    "HYPHEN BULLET": "-",
    "EM DASH": "-",
    "BULLET": "-",
    "SMALL COMMERCIAL AT": "@",
    "FULLWIDTH DOLLAR SIGN": "$",
    "LATIN LETTER RETROFLEX CLICK": "!",
    "PRESENTATION FORM FOR VERTICAL EXCLAMATION MARK": "!",
    "DOUBLE EXCLAMATION MARK": "!!",
    "IDEOGRAPHIC COMMA": ",",
    "MEDIUM LEFT PARENTHESIS ORNAMENT": "(",
    "LOW ASTERISK": "*",
    "CIRCLED ASTERISK OPERATOR": "*",
    "SQUARED ASTERISK": "*",
    "MODIFIER LETTER PLUS SIGN": "+",
    "IDEOGRAPHIC FULL STOP": ".",
    "HORIZONTAL ELLIPSIS": "...",
    "MODIFIER LETTER TRIANGULAR COLON": ":",
    "REVERSED SEMICOLON": ";",
    "SINGLE LEFT-POINTING ANGLE QUOTATION MARK": "<",
    "MODIFIER LETTER SHORT EQUALS SIGN": "=",
    "FULLWIDTH LATIN CAPITAL LETTER Q": "Q",
    "LATIN LETTER SMALL CAPITAL A": "A",
    "LATIN LETTER SMALL CAPITAL F": "F",
    "LATIN LETTER SMALL CAPITAL S": "S",
    "LATIN LETTER SMALL CAPITAL Z": "Z",
    "FULLWIDTH DIGIT SEVEN": "7",
    "MODIFIER LETTER CIRCUMFLEX ACCENT": "^",
    "MEDIUM LEFT CURLY BRACKET ORNAMENT": "{",
    "TILDE OPERATOR": "~",
    "SMALL TILDE": "~",
    "NO-BREAK SPACE": "  ",
    "EM QUAD": " ",
    "IDEOGRAPHIC SPACE": "  ",
    "LINE SEPARATOR": " ",
    "ZERO WIDTH SPACE": "",
    "WORD JOINER": "",
    "ZERO WIDTH NO-BREAK SPACE": "",
}


@pytest.mark.parametrize(("name", "plain"), BY_NAME.items())
def test_what_is_replaced(name, plain):
    character = unicodedata.lookup(name)
    assert is_same_text(f"Valve{character}7 {character} shut", f"Valve{plain}7 {plain} shut")
    assert not is_same_text(f"Valve{character}7", f"Valve{plain}8")


@pytest.mark.parametrize(("control", "plain"), [("\t", " " * 7), ("\x13", ""), ("\x80", "  ")])
def test_controls(control, plain):
    assert is_same_text(f"Valve{control}7", f"Valve{plain}7")


def test_the_list_is_whole():
    """About 270 in all: those here, and those that compatibility normalization covers."""
    compatible = [
        *range(0xFF01, 0xFF40), *range(0xFF41, 0xFF5F),  # full-width ASCII but the grave accent
        0xFE13, 0xFE14, 0xFE15, 0xFE16, 0xFE50, 0xFE52, 0xFE54, 0xFE55, 0xFE56, 0xFE57,
        *range(0xFE59, 0xFE5D), *range(0xFE5F, 0xFE67), *range(0xFE68, 0xFE6C),
        0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000, 9,
    ]  # fmt: skip
    covered = {*REPLACEMENTS, *compatible}
    assert len(covered) >= 268
    for character in map(chr, compatible):
        normal = unicodedata.normalize("NFKC", character)
        assert normal.isascii()
        assert is_same_text(f"a{character}b", f"a{normal}b")


def test_a_mark_that_is_replaced_or_joins_its_letter():
    assert is_same_text("man\u0303ana", "man~ana")
    assert is_same_text("man\u0303ana", "ma\u00f1ana")
    assert is_same_text("cafe\u0301", "caf\u00e9")


@pytest.mark.parametrize(
    ("one", "other"), [("Batch 7", "Batch 8"), ("1/4", "1/2"), ("Grüße", "Gruse"), ("a b", "ab")]
)
def test_other_words_are_other_texts(one, other):
    assert not is_same_text(one, other)


@given(st.text())
def test_any_text_is_itself_after_the_replacement(text):
    assert is_same_text(text, text.translate(REPLACEMENTS))
