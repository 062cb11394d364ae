"""What a call says, and how long that takes.

Its TwiML has the message, the question for a key press, or the voicemail message.
https://www.twilio.com/docs/voice/twiml

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

from alerts.alert import AlertRequest
from alerts.errors import UnusableInput
from alerts.message.languages import check_voice, key_press_words
from twiml import Gather, Pause, Response, Say, TwimlError

# Shown in the preview: only an alert that was sent has an address of its own.
PREVIEW_KEY_PRESS_URL = "/twilio/gather"
KEY_PRESS_TIMEOUT_SECONDS = 10
# How long Twilio listens to a machine's greeting until its beep, by default.
# https://www.twilio.com/docs/voice/answering-machine-detection
MACHINE_DETECTION_SECONDS = 30
SPOKEN_CHARACTERS_PER_SECOND = 14


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


def write_document(request: AlertRequest, text: str, key_press_url: str | None = None) -> Response:
    """Write the TwiML that speaks `text` in the chosen voice, `request.repeat` times.

    If the request asks for a key press, Twilio reports it to `key_press_url`; without one the
    document is only a preview. Raises `UnusableInput` if the text is too long; see `check_call`.
    """
    message = _message(request, text)
    if request.acknowledge:
        return Response(_asking(key_press_url or PREVIEW_KEY_PRESS_URL, message))
    silence = [Pause(_silence_after(request, text))] if request.voicemail else []
    return Response(message, *silence)


def check_call(request: AlertRequest, text: str) -> None:
    """Raise `UnusableInput` if a call can't speak `text` as the request asks.

    A request is checked before it is saved, so that nothing can be wrong with it when it is due.
    """
    check_voice(request.voice, request.language)
    if request.repeat < 0:
        raise UnusableInput(
            "repeat", "Say the message once or more, or 0 times to repeat it until they hang up."
        )
    _message(request, text)


def write_second_question(request: AlertRequest, key_press_url: str) -> Response:
    """Write the answer to a key other than 1: ask for 1, then say the message again.

    Here and below the messages of `request` are filled in.
    """
    first = _say("message", key_press_words(request.language).again, request)
    return Response(_asking(key_press_url, first, _message(request, request.message)))


def write_thanks(request: AlertRequest) -> Response:
    """Write the answer to a 1: thanks and goodbye."""
    return Response(_say("message", key_press_words(request.language).thanks, request))


def write_voicemail(request: AlertRequest) -> Response:
    """Write the short message for an answering machine, said once. Raises `UnusableInput`."""
    return Response(_say("voicemail", request.voicemail, request))


def _silence_after(request: AlertRequest, text: str) -> int:
    """Seconds of silence after the message, so that the call lasts until a machine is detected."""
    spoken = len(text) / SPOKEN_CHARACTERS_PER_SECOND * request.repeat
    return max(1, round(MACHINE_DETECTION_SECONDS - spoken))


def _message(request: AlertRequest, text: str) -> Say:
    """Say the text, and the question for a key press if the request asks it."""
    if request.acknowledge:
        # A period makes the voice pause before the question.
        stop = "." if text[-1:].isalnum() else ""
        text = f"{text}{stop} {key_press_words(request.language).ask}"
    return _say("message", text, request, request.repeat)


def _asking(key_press_url: str, *said: Say) -> Gather:
    return Gather(
        *said,
        action=key_press_url,
        method="POST",
        timeout=KEY_PRESS_TIMEOUT_SECONDS,
        num_digits=1,
    )


def _say(field: str, text: str, request: AlertRequest, repeat: int | None = None) -> Say:
    """Say `text` in the chosen voice; raises `UnusableInput` about `field` if it is too long."""
    try:
        return Say(text, voice=request.voice, language=request.language, loop=repeat)
    except TwimlError as problem:
        raise UnusableInput(field, str(problem)) from None


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
