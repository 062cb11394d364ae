"""The kinds of value that TwiML attributes take: what each allows, and how XML text becomes one."""

import re
from dataclasses import dataclass
from typing import Protocol

# More than any whole number here means; nine digits are quick to read, however long the text.
LARGEST = 999_999_999


class Kind(Protocol):
    """One kind of value."""

    @property
    def rule(self) -> str:
        """What a value must be, in words that follow "must be"."""

    def allows(self, value: object) -> bool:
        """Whether Twilio takes `value`."""

    def read(self, text: str) -> object:
        """The value that `text` stands for in XML; `text` itself if it stands for none."""


@dataclass(frozen=True)
class Whole:
    """A whole number, or one of a few words in its place."""

    minimum: int
    maximum: int = LARGEST
    words: tuple[str, ...] = ()

    @property
    def rule(self) -> str:
        most = "or more" if self.maximum == LARGEST else f"to {self.maximum}"
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
    """True or false."""

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
    """One or more of a few words, with a space between."""

    def __init__(self, *words: str) -> None:
        super().__init__(*words)
        self.rule = f"one or more of {', '.join(words)}, with a space between"

    def allows(self, value: object) -> bool:
        return isinstance(value, str) and value != "" and set(value.split(" ")) <= set(self.words)


@dataclass(frozen=True)
class Text:
    """Any text, up to a number of characters."""

    maximum: int | None = None

    @property
    def rule(self) -> str:
        return "text" if self.maximum is None else f"text of at most {self.maximum:,} characters"

    def allows(self, value: object) -> bool:
        return isinstance(value, str) and (self.maximum is None or len(value) <= self.maximum)

    def read(self, text: str) -> object:
        return text


class Pattern:
    """Text of one form."""

    def __init__(self, form: str, rule: str) -> None:
        self.matches = re.compile(form).fullmatch
        self.rule = rule

    def allows(self, value: object) -> bool:
        return isinstance(value, str) and self.matches(value) is not None

    def read(self, text: str) -> object:
        return text.strip()
