"""What was heard and done in a call, line by line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LineKind = Literal[
    "fetch",
    "say",
    "play",
    "pause",
    "gather",
    "digits",
    "record",
    "dial",
    "redirect",
    "hangup",
    "error",
]


@dataclass(frozen=True)
class Line:
    """One thing that happened, `at` simulated seconds after the call was answered.

    `text` is what was said, played or pressed; `voice` and `language` are those of a `say`.
    `seconds` is how long it takes, where that is known when it begins.
    """

    at: float
    kind: LineKind
    text: str
    voice: str | None = None
    language: str | None = None
    seconds: float = 0


@dataclass(frozen=True)
class Trouble:
    """An error or a warning, as Twilio's debugger lists them. After a warning the call goes on."""

    code: int | None
    level: Literal["error", "warning"]
    message: str
    url: str | None = None
