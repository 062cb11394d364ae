"""What people type or paste where a phone number belongs, taken apart: label, number, extension.

A word processor, a web page or a spreadsheet brings its own spaces, dashes, dots and digits, and
invisible characters. Nothing is read as a digit that wasn't written as one.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

# The longest text that is looked at: reading takes time that grows with the text.
MOST_CHARACTERS = 250
# Unicode's Default_Ignorable_Code_Point, as far as the categories Cc and Cf don't cover it, and the
# object replacement character, which stands for a picture that wasn't pasted.
# https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt
_IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8"
    "\ufffc\U000e0000-\U000e0fff]"
)
# Lines and letters that people use as dashes, and a blank that isn't among Unicode's spaces.
_LIKE_A_DASH = "\u2500\u2501\u30fc\uff70"
_BLANK = "\u2800"
# What a punctuation mark or symbol counts as, by a word in its Unicode name.
_BY_NAME = (
    (re.compile(r"\b(HYPHEN|DASH|MINUS)\b"), "-"),
    (re.compile(r"\b(FULL STOP|DOT|BULLET|HYPHENATION POINT|ANO TELEIA)\b"), "."),
    (re.compile(r"\b(SLASH|SOLIDUS)\b"), "/"),
    (re.compile(r"\bPLUS SIGN\b"), "+"),
)
_EXTENSION = re.compile(
    r"""(?: [;,]?\s* (?<![^\W\d_]) (?: e?xt(?:ensi[oó]n|n)? | x | int | anexo | poste | durchwahl
                                       | доб ) [.:=\s]*
          | \s* (?P<pauses>,{1,9}) \s*
          | \s* [;\#~] \s* )
        (?P<keys>[0-9*]{1,20}\#?) [\s.]* $""",
    re.IGNORECASE | re.VERBOSE,
)
_AROUND = " .,;:!?'\"<>"
_PUNCTUATION = re.compile(r"[\d\s+()\[\]./~-]+")


@dataclass(frozen=True, slots=True)
class PastedNumber:
    """A text taken apart: `label` before the first digit, `number`, and `extension`.

    `number` has ASCII `digits` and punctuation, and the `words` that are left in it, which belong
    in no number. The extension has a comma for each pause of two seconds beyond the first, then the
    keys to press.
    """

    label: str
    number: str
    digits: str
    words: str
    extension: str = ""


def take_apart(text: str) -> PastedNumber:
    """Return the parts of a text; one without a digit is all label."""
    plain = plain_characters(text)
    first = re.search(r"[\d+(]", plain)
    if first is None or not re.search(r"\d", plain):
        return PastedNumber(plain.strip(), "", "", "")
    label, rest = plain[: first.start()].strip(), plain[first.start() :]
    extension = _EXTENSION.search(rest)
    if extension is None:
        return _sorted_out(label, rest.strip(_AROUND))
    pauses = extension["pauses"] or ","
    number = rest[: extension.start()].strip(_AROUND)
    return _sorted_out(label, number, pauses[1:] + extension["keys"])


def _sorted_out(label: str, number: str, extension: str = "") -> PastedNumber:
    digits = re.sub(r"[^\d]+", "", number)
    words = dict.fromkeys(word for word in _PUNCTUATION.split(number) if word)
    return PastedNumber(label, number, digits, " ".join(words), extension)


def plain_characters(text: str) -> str:
    """Write every digit, space, dash, dot, slash, bracket and plus sign in ASCII.

    Invisible characters drop out. Letters stay, in their usual width.
    """
    return "".join(map(_plain, unicodedata.normalize("NFC", text)))


def _plain(character: str) -> str:
    if character.isascii() and character.isprintable() and character != "_":
        return character
    category = unicodedata.category(character)
    separator = _separator(character, category)
    if separator is not None:
        return separator
    if category == "Nd":
        return str(unicodedata.digit(character))
    # A superscript or a circled digit isn't one that people dial, so it stays and is refused.
    return character if category[0] == "N" else unicodedata.normalize("NFKC", character)


def _separator(character: str, category: str) -> str | None:
    """Return what a character separates with, "" for an invisible one; None if it is neither."""
    # Quotation marks (Pi and Pf) separate like a space.
    if character.isspace() or character == _BLANK or category in {"Pi", "Pf"}:
        return " "
    # An enclosing mark (Me) is the frame around a keycap emoji.
    if category in {"Cc", "Cf", "Me"} or _IGNORABLE.match(character):
        return ""
    if category in {"Pd", "Pc"} or character in _LIKE_A_DASH:
        return "-"
    if category[0] in "PS":
        name = unicodedata.name(character, "")
        by_name = next((plain for words, plain in _BY_NAME if words.search(name)), None)
        return by_name or {"Ps": "(", "Pe": ")"}.get(category)
    return None
