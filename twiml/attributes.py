"""The types of TwiML attributes: the values Twilio accepts, and how XML text becomes one of them.

An attribute is annotated with what Python sees and a `ValueType`:

    loop: Annotated[int | None, WholeNumber(0)]

The types at the end are shared by several verbs. Each allows None, which leaves the attribute out
of the XML and Twilio's default in force.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

# Larger than any number Twilio accepts, and short enough that reading it takes no time.
LARGEST_NUMBER = 999_999_999


class ValueType(Protocol):
    """What one attribute accepts."""

    @property
    def rule(self) -> str:
        """What a value must be, in words that follow "must be"."""

    def allows(self, value: object) -> bool:
        """Return whether Twilio accepts `value`."""

    def read(self, text: str) -> object:
        """Return the value that `text` stands for in XML, or `text` itself if it is not one."""


@dataclass(frozen=True)
class WholeNumber:
    """A whole number, or one of `words` instead."""

    minimum: int
    maximum: int = LARGEST_NUMBER
    words: tuple[str, ...] = ()

    @property
    def rule(self) -> str:
        most = "or more" if self.maximum == LARGEST_NUMBER else f"to {self.maximum}"
        return " or ".join((f"a whole number ({self.minimum} {most})", *self.words))

    def allows(self, value: object) -> bool:
        if isinstance(value, str):
            return value in self.words
        if not isinstance(value, int) or isinstance(value, bool):
            return False
        return self.minimum <= value <= self.maximum

    def read(self, text: str) -> object:
        return int(text) if re.fullmatch("[0-9]{1,9}", text) else text


@dataclass(frozen=True)
class Flag:
    """True or False."""

    rule: str = "True or False"

    def allows(self, value: object) -> bool:
        return isinstance(value, bool)

    def read(self, text: str) -> object:
        return {"true": True, "false": False}.get(text, text)


class OneOf:
    """One of a few words."""

    def __init__(self, *words: str) -> None:
        self.words = words
        self.rule = f"one of {', '.join(words)}"

    def allows(self, value: object) -> bool:
        return isinstance(value, str) and value in self.words

    def read(self, text: str) -> object:
        return text


class AnyOf(OneOf):
    """One or more of a few words, separated by spaces."""

    def __init__(self, *words: str) -> None:
        super().__init__(*words)
        self.rule = f"one or more of {', '.join(words)}, separated by spaces"

    def allows(self, value: object) -> bool:
        return isinstance(value, str) and value != "" and set(value.split(" ")) <= set(self.words)


@dataclass(frozen=True)
class Text:
    """Any text, or any up to `maximum` characters long."""

    maximum: int | None = None

    @property
    def rule(self) -> str:
        return "text" if self.maximum is None else f"text of at most {self.maximum:,} characters"

    def allows(self, value: object) -> bool:
        return isinstance(value, str) and (self.maximum is None or len(value) <= self.maximum)

    def read(self, text: str) -> object:
        return text


class Pattern:
    """Text that matches a regular expression; `rule` says so in words."""

    def __init__(self, expression: str, rule: str) -> None:
        self.matches = re.compile(expression).fullmatch
        self.rule = rule

    def allows(self, value: object) -> bool:
        return isinstance(value, str) and self.matches(value) is not None

    def read(self, text: str) -> object:
        return text.strip()


# Twilio refuses a host with an underscore (errors 21205 and 21609).
URL_EXPRESSION = r"(?![a-zA-Z]+://(?:[^/?#@]*@)?[^/?#@]*_[^/?#@]*(?:[/?#]|$))\S+"
URL_RULE = "a URL without white space, and without an underscore in its host"
URL = Pattern(URL_EXPRESSION, URL_RULE)
PHONE_NUMBER = Pattern(r"\+?[0-9(][0-9 ().-]{1,24}[0-9]", "a phone number such as +15558675310")

AnyText = Annotated[str | None, Text()]
Url = Annotated[str | None, URL]
Method = Annotated[Literal["GET", "POST"] | None, OneOf("GET", "POST")]
Boolean = Annotated[bool | None, Flag()]
# 0 repeats until the call ends.
Loop = Annotated[int | None, WholeNumber(0)]
Count = Annotated[int | None, WholeNumber(1)]
Seconds = Annotated[int | None, WholeNumber(1)]
# Keys to press; each w waits half a second.
Tones = Annotated[str | None, Pattern("[0-9*#wW]+", "keys 0 to 9, *, # and w")]
Voice = Annotated[
    str | None,
    Pattern(
        r"man|woman|alice|[A-Za-z]+\.\S+",
        "man, woman, alice, or a provider's voice such as Polly.Amy",
    ),
]
Language = Annotated[
    str | None,
    Pattern("[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})*", "a language such as en-GB"),
]
Trim = Annotated[
    Literal["trim-silence", "do-not-trim"] | None, OneOf("trim-silence", "do-not-trim")
]
RecordingEvents = Annotated[str | None, AnyOf("in-progress", "completed", "absent")]
CallEvents = Annotated[str | None, AnyOf("initiated", "ringing", "answered", "completed")]
