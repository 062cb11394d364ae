"""Which voice can speak which language, as far as it is known here.

Twilio speaks far more voices and languages than are offered, and new ones come every month. So any
name in a provider's form is taken, and Twilio decides. Refused is only what contradicts itself:
Twilio documents that a voice and a language that don't belong together can make `Say` fail.
https://www.twilio.com/docs/voice/twiml/say#voice
"""

from __future__ import annotations

import re

from alerts.errors import UnusableInput
from alerts.message.languages import LANGUAGE_NAMES, LANGUAGES, voices_for

# https://www.twilio.com/docs/voice/twiml/say/text-speech#available-voices-and-languages
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?-([A-Z]{2}|[0-9]{3})(-[A-Z]{3})?|arb")
_GOOGLE = re.compile(rf"Google\.({_LANGUAGE.pattern})-[A-Za-z0-9-]+")
_POLLY = re.compile(r"Polly\.([A-Z][a-z]+)(-[A-Z][A-Za-z-]+)?")
# Twilio's basic voices, which it has for a few languages.
_BASIC = frozenset({"man", "woman"})
# Amazon and Google name the Chinese languages differently.
_SAME_LANGUAGE = {"cmn-CN": "zh-CN", "cmn-TW": "zh-TW", "yue-HK": "zh-HK"}


def language_name(code: str) -> str:
    """Return the English name of a language, or the code of one that isn't among LANGUAGES."""
    return LANGUAGE_NAMES.get(code, code)


def check_language(code: str) -> None:
    """Raise `UnusableInput` for what isn't the code of a language and a country."""
    if code not in LANGUAGE_NAMES and not _LANGUAGE.fullmatch(code):
        raise UnusableInput(
            "language", f"{code[:40]!r} is not a language code such as en-GB or tr-TR."
        )


def check_voice(voice: str, language: str) -> None:
    """Raise `UnusableInput` for a voice that is known not to speak the language."""
    offered = voices_for(language)
    if voice in offered or voice in _BASIC:
        return
    spoken = _languages_of(voice)
    if spoken is None or any(_same(each) == _same(language) for each in spoken):
        return
    name = language_name(language)
    choice = f" Choose one of {', '.join(offered)}." if offered else ""
    if voice != "alice" and not spoken:
        raise UnusableInput(
            "voice",
            f"{voice[:40]!r} is not the name of a voice for {name}.{choice or ' Choose another.'} "
            "Others are written like Polly.Joanna-Neural or Google.en-US-Chirp3-HD-Aoede.",
        )
    speaks = "" if voice == "alice" else f" It speaks {', '.join(map(language_name, spoken))}."
    raise UnusableInput("voice", f"The voice {voice!r} doesn't speak {name}.{speaks}{choice}")


def voice_note(voice: str, language: str) -> str:
    """Say that a voice or language isn't known here, in a sentence; "" if both are."""
    if language not in LANGUAGE_NAMES:
        return f"The language {language} isn't in Callboard's list; Twilio decides."
    if voice not in voices_for(language):
        return f"The voice {voice} isn't in Callboard's list; Twilio decides."
    return ""


def _languages_of(voice: str) -> list[str] | None:
    """The languages of a voice: None if they aren't known, [] if it is no voice's name."""
    if voice == "alice":
        return [each.code for each in LANGUAGES if each.alice]
    google = _GOOGLE.fullmatch(voice)
    if google:
        return [google[1]]
    polly = _POLLY.fullmatch(voice)
    if polly is None:
        return []
    # Amazon's engines speak the same language with the same name.
    found = [each.code for each in LANGUAGES if polly[1] in {*each.polly, *each.neural}]
    return found or None


def _same(language: str) -> str:
    return _SAME_LANGUAGE.get(language, language)
