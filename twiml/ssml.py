"""SSML: how the words inside Say are spoken.

Which tags work depends on the voice; Polly's and Google's support most of them.
https://www.twilio.com/docs/voice/twiml/say/text-speech#ssml
"""

from dataclasses import KW_ONLY, dataclass
from typing import Annotated, Literal, get_args

from twiml.element import AnyText, Container, Element, Language, OneOf, Pattern, Text

# The types of the attributes. https://www.w3.org/TR/speech-synthesis11/
StrengthWord = Literal["none", "x-weak", "weak", "medium", "strong", "x-strong"]
Strength = Annotated[StrengthWord | None, OneOf(*get_args(StrengthWord))]
LevelWord = Literal["strong", "moderate", "reduced"]
Level = Annotated[LevelWord | None, OneOf(*get_args(LevelWord))]

# At most ten seconds: https://docs.aws.amazon.com/polly/latest/dg/break-tag.html
Time = Annotated[
    str | None,
    Pattern(
        r"(10(\.0+)?|[0-9]?(\.[0-9]+)|[0-9])s|(10000|[0-9]{1,4})ms",
        "a time up to 10 s such as 500ms or 2s",
    ),
]
Volume = Annotated[
    str | None,
    Pattern(
        r"default|silent|x-soft|soft|medium|loud|x-loud|[+-][0-9]+(\.[0-9]+)?dB",
        "a volume such as loud or +6dB",
    ),
]
Rate = Annotated[
    str | None,
    Pattern(
        r"x-slow|slow|medium|fast|x-fast|[0-9]+(\.[0-9]+)?%",
        "a rate such as slow or 80%",
    ),
]
Pitch = Annotated[
    str | None,
    Pattern(
        r"default|x-low|low|medium|high|x-high|[+-][0-9]+(\.[0-9]+)?%",
        "a pitch such as high or +10%",
    ),
]

# The tags that a word, a sentence, and Say as a whole may contain.
IN_WORD = ("break", "emphasis", "phoneme", "prosody", "say-as", "sub")
IN_SENTENCE = (*IN_WORD, "lang", "w")
IN_SPEECH = (*IN_SENTENCE, "p", "s")


@dataclass(frozen=True, repr=False)
class Break(Element):
    """A pause, by `strength` or by `time` (up to 10 s: `500ms`, `2s`)."""

    tag = "break"
    strength: Strength = None
    time: Time = None


@dataclass(frozen=True, repr=False)
class SayAs(Element):
    """Text read as digits, a date and so on: `SayAs("1407", interpret_as="digits")`.

    `format` is the order of a date's parts, such as `mdy`.
    """

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
    alias: AnyText = None


@dataclass(frozen=True, repr=False)
class Phoneme(Element):
    """Text pronounced as `ph` spells it in the `alphabet` (`ipa` or `x-sampa`)."""

    tag = "phoneme"
    content = "text"
    text: Annotated[str, Text()]
    _: KW_ONLY
    alphabet: Annotated[str | None, Pattern("[a-z-]+", "an alphabet such as ipa")] = None
    ph: AnyText = None


@dataclass(frozen=True, repr=False)
class Emphasis(Container):
    """Words spoken with more or less weight."""

    tag = "emphasis"
    child_tags = IN_SENTENCE
    is_speech = True
    level: Level

    def __init__(self, *children: "str | Ssml", level: LevelWord | None = None) -> None:
        self._build(locals())


@dataclass(frozen=True, repr=False)
class Prosody(Container):
    """Words spoken louder or softer, faster or slower, higher or lower."""

    tag = "prosody"
    child_tags = IN_SPEECH
    is_speech = True
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
    child_tags = IN_SPEECH
    is_speech = True
    xml_lang: Language

    def __init__(self, *children: "str | Ssml", xml_lang: str | None = None) -> None:
        self._build(locals())


@dataclass(frozen=True, repr=False)
class W(Container):
    """A word whose `role` changes how it sounds, such as `amazon:VB` for a verb."""

    tag = "w"
    child_tags = IN_WORD
    is_speech = True
    role: Annotated[str | None, Pattern(r"[a-z]+:\S+", "a role such as amazon:VB")]

    def __init__(self, *children: "str | Ssml", role: str | None = None) -> None:
        self._build(locals())


@dataclass(frozen=True, repr=False)
class P(Container):
    """A paragraph."""

    tag = "p"
    child_tags = (*IN_SENTENCE, "s")
    is_speech = True

    def __init__(self, *children: "str | Ssml") -> None:
        self._build(locals())


@dataclass(frozen=True, repr=False)
class S(Container):
    """A sentence."""

    tag = "s"
    child_tags = IN_SENTENCE
    is_speech = True

    def __init__(self, *children: "str | Ssml") -> None:
        self._build(locals())


Ssml = Break | SayAs | Sub | Phoneme | Emphasis | Prosody | Lang | W | P | S
