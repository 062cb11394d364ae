"""SSML: how the words inside Say are to be spoken.

Which tags a voice understands depends on the voice; Polly's and Google's know most of them.
https://www.twilio.com/docs/voice/twiml/say/text-speech#ssml
"""

from dataclasses import KW_ONLY, dataclass
from typing import Annotated

from twiml.container import Container
from twiml.element import Element
from twiml.kinds import Pattern, Text
from twiml.ssml_values import Level, LevelWord, Pitch, Rate, Strength, Time, Volume
from twiml.values import Anything, Language

WORDS = ("break", "emphasis", "phoneme", "prosody", "say-as", "sub")
PHRASES = (*WORDS, "lang", "w")
SENTENCES = (*PHRASES, "p", "s")


@dataclass(frozen=True, repr=False)
class Break(Element):
    """A pause, by `strength` or by `time` (up to 10 s: `500ms`, `2s`)."""

    tag = "break"
    strength: Strength = None
    time: Time = None


@dataclass(frozen=True, repr=False)
class SayAs(Element):
    """Text read as what it is: `SayAs("1407", interpret_as="digits")`; `format` is for dates."""

    tag = "say-as"
    content = "text"
    text: Annotated[str, Text()]
    _: KW_ONLY
    interpret_as: Annotated[str | None, Pattern("[a-z:-]+", "a word such as digits or date")] = None
    format: Annotated[str | None, Pattern("[a-z]+", "an order such as mdy")] = None


@dataclass(frozen=True, repr=False)
class Sub(Element):
    """Text spoken as `alias`: `Sub("Dr", alias="Doctor")`."""

    tag = "sub"
    content = "text"
    text: Annotated[str, Text()]
    _: KW_ONLY
    alias: Anything = None


@dataclass(frozen=True, repr=False)
class Phoneme(Element):
    """Text pronounced as `ph` says in the `alphabet` (`ipa`, `x-sampa`)."""

    tag = "phoneme"
    content = "text"
    text: Annotated[str, Text()]
    _: KW_ONLY
    alphabet: Annotated[str | None, Pattern("[a-z-]+", "an alphabet such as ipa")] = None
    ph: Anything = None


@dataclass(frozen=True, repr=False)
class Emphasis(Container):
    """Words spoken with more or less weight."""

    tag = "emphasis"
    holds = PHRASES
    speech = True
    level: Level

    def __init__(self, *children: "str | Ssml", level: LevelWord | None = None) -> None:
        self._build(locals())


@dataclass(frozen=True, repr=False)
class Prosody(Container):
    """Words spoken louder or softer, faster or slower, higher or lower."""

    tag = "prosody"
    holds = SENTENCES
    speech = True
    volume: Volume
    rate: Rate
    pitch: Pitch

    def __init__(
        self,
        *children: "str | Ssml",
        volume: str | None = None,
        rate: str | None = None,
        pitch: str | None = None,
    ) -> None:
        self._build(locals())


@dataclass(frozen=True, repr=False)
class Lang(Container):
    """Words in another language: `Lang("Bonjour", xml_lang="fr-FR")`."""

    tag = "lang"
    holds = SENTENCES
    speech = True
    xml_lang: Language

    def __init__(self, *children: "str | Ssml", xml_lang: str | None = None) -> None:
        self._build(locals())


@dataclass(frozen=True, repr=False)
class W(Container):
    """A word with the `role` it has, where that changes how it sounds: `amazon:VB`."""

    tag = "w"
    holds = WORDS
    speech = True
    role: Annotated[str | None, Pattern(r"[a-z]+:\S+", "a role such as amazon:VB")]

    def __init__(self, *children: "str | Ssml", role: str | None = None) -> None:
        self._build(locals())


@dataclass(frozen=True, repr=False)
class P(Container):
    """A paragraph."""

    tag = "p"
    holds = (*PHRASES, "s")
    speech = True

    def __init__(self, *children: "str | Ssml") -> None:
        self._build(locals())


@dataclass(frozen=True, repr=False)
class S(Container):
    """A sentence."""

    tag = "s"
    holds = PHRASES
    speech = True

    def __init__(self, *children: "str | Ssml") -> None:
        self._build(locals())


Ssml = Break | SayAs | Sub | Phoneme | Emphasis | Prosody | Lang | W | P | S
