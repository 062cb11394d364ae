"""How long a call takes to say its words.

People who read aloud say 6.2 syllables a second in English, 7.8 in Spanish, 5.2 in Mandarin and 7.8
morae in Japanese (F. Pellegrino, C. Coupé and E. Marsico, "A Cross-Language Perspective on Speech
Information Rate", Language 87, 2011). With its spaces, a syllable of English takes three characters
and one of Spanish 2.4; a Chinese character is one syllable. Twilio's voices are slower and make
pauses, so a fifth faster than those people is faster than any of them.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class SpeakingRate:
    """Characters a second: as voices usually speak, and faster than any voice speaks."""

    usual: float
    fastest: float


ALPHABETS = SpeakingRate(14.5, 22.0)
# A digit is a word or part of one, but "2026" may be read in pairs, so the fastest is a letter's.
DIGITS = SpeakingRate(3.7, 22.0)
CHINESE = SpeakingRate(4.5, 6.2)
# A kana is a mora; a kanji in Japanese has one or two.
JAPANESE = SpeakingRate(6.0, 9.4)
KOREAN = SpeakingRate(5.5, 8.0)
SENTENCE_PAUSE_SECONDS = 0.45
COMMA_PAUSE_SECONDS = 0.2
SENTENCE_ENDS = ".!?…。！？।"
COMMAS = ",;:、，；："


def estimated_seconds(words: str, language: str) -> float:
    """Return how many seconds a voice takes to say `words` once, in `language` such as "en-GB".

    The words are those that are spoken, with their variables filled in.
    """
    text = _spaced_once(words)
    seconds = sum(1 / _rate(character, language).usual for character in text)
    # The voice doesn't pause at a period inside 3.5 or at the very end.
    pauses = [each for each, after in pairwise(text) if _is_gap(each, after)]
    sentences = sum(each in SENTENCE_ENDS for each in pauses)
    return (
        seconds
        + sentences * SENTENCE_PAUSE_SECONDS
        + (len(pauses) - sentences) * COMMA_PAUSE_SECONDS
    )


def shortest_seconds(words: str, language: str) -> float:
    """Return a number of seconds in which no voice could say `words` once."""
    return sum(1 / _rate(character, language).fastest for character in _spaced_once(words))


def _spaced_once(words: str) -> str:
    """Return the words without what makes no sound: extra spaces, and combining accents."""
    composed = unicodedata.normalize("NFC", " ".join(words.split()))
    return "".join(each for each in composed if unicodedata.category(each) not in {"Mn", "Cf"})


def _is_gap(character: str, after: str) -> bool:
    wide = character in "。！？、，；："
    return character in SENTENCE_ENDS + COMMAS and (wide or after == " ")


def _rate(character: str, language: str) -> SpeakingRate:
    if character.isdecimal():
        return DIGITS
    if character < "\u1100":  # most characters, and what follows is slow
        return ALPHABETS
    name = unicodedata.name(character, "")
    if name.startswith("HANGUL"):
        return KOREAN
    if name.startswith(("HIRAGANA", "KATAKANA")):
        return JAPANESE
    if name.startswith("CJK"):
        return JAPANESE if language.startswith("ja") else CHINESE
    return ALPHABETS
