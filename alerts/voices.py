"""The languages and voices that Twilio speaks, as far as people choose between them.

https://www.twilio.com/docs/voice/twiml/say/text-speech
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """A language that `alice` speaks (`code` as in `Say`), and Polly's voices for it."""

    code: str
    name: str
    polly: tuple[str, ...]


LANGUAGES: tuple[Language, ...] = (
    Language("en-GB", "English (UK)", ("Amy", "Brian", "Emma")),
    Language("en-US", "English (US)", ("Joanna", "Matthew", "Salli", "Joey")),
    Language("en-AU", "English (Australia)", ("Nicole", "Russell")),
    Language("en-CA", "English (Canada)", ()),
    Language("en-IN", "English (India)", ("Aditi", "Raveena")),
    Language("ca-ES", "Catalan", ()),
    Language("zh-CN", "Chinese (Mandarin)", ("Zhiyu",)),
    Language("zh-HK", "Chinese (Cantonese)", ()),
    Language("zh-TW", "Chinese (Taiwan)", ()),
    Language("da-DK", "Danish", ("Naja", "Mads")),
    Language("nl-NL", "Dutch", ("Lotte", "Ruben")),
    Language("fi-FI", "Finnish", ()),
    Language("fr-FR", "French", ("Lea", "Celine", "Mathieu")),
    Language("fr-CA", "French (Canada)", ("Chantal",)),
    Language("de-DE", "German", ("Vicki", "Marlene", "Hans")),
    Language("it-IT", "Italian", ("Bianca", "Carla", "Giorgio")),
    Language("ja-JP", "Japanese", ("Mizuki", "Takumi")),
    Language("ko-KR", "Korean", ("Seoyeon",)),
    Language("nb-NO", "Norwegian", ("Liv",)),
    Language("pl-PL", "Polish", ("Ewa", "Maja", "Jacek", "Jan")),
    Language("pt-BR", "Portuguese (Brazil)", ("Camila", "Vitoria", "Ricardo")),
    Language("pt-PT", "Portuguese (Portugal)", ("Ines", "Cristiano")),
    Language("ru-RU", "Russian", ("Tatyana", "Maxim")),
    Language("es-ES", "Spanish (Spain)", ("Lucia", "Conchita", "Enrique")),
    Language("es-MX", "Spanish (Mexico)", ("Mia",)),
    Language("sv-SE", "Swedish", ("Astrid",)),
)
LANGUAGE_NAMES = {language.code: language.name for language in LANGUAGES}


def voices_for(language_code: str) -> dict[str, str]:
    """The voices that speak a language: Twilio's name for each, with what people call it."""
    polly = next((spoken.polly for spoken in LANGUAGES if spoken.code == language_code), ())
    return {"alice": "Alice"} | {f"Polly.{name}": f"{name} (Polly)" for name in polly}
