"""Text from clients and their servers: masked and cut before it is recorded, read strictly."""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST_LOGGED_CHARACTERS = 10_000
"""The length of one text in the log; the longest TwiML in a request has 4,000 characters."""

_SECRET_PARAMETERS = frozenset({"SipAuthPassword"})
_USER_AND_PASSWORD = re.compile(r"(?<=://)[^/?#\s]*@")
_MASK = "********"


def without_password(text: str) -> str:
    """Mask the user and password of every URL in `text`."""
    return _USER_AND_PASSWORD.sub(f"{_MASK}@", text)


def shortened(text: str) -> str:
    """Mask passwords in `text` and cut it to LONGEST_LOGGED_CHARACTERS."""
    # Mask passwords first: a cut could remove the @ that marks them.
    text = without_password(text)
    if len(text) <= LONGEST_LOGGED_CHARACTERS:
        return text
    return f"{text[:LONGEST_LOGGED_CHARACTERS]}…"


def loggable(parameters: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The parameters of a request without passwords, and none of them very long."""
    return [
        (shortened(name), _MASK if name in _SECRET_PARAMETERS else shortened(value))
        for name, value in parameters
    ]


def flag(text: str) -> bool | None:
    """Read a truth value, in capitals or not; None for anything else.

    Each language writes its own into a form: `true`, Python `True`, R `TRUE`, PHP `1`.
    """
    word = text.strip().lower()
    if word in {"true", "1", "yes", "on"}:
        return True
    return False if word in {"false", "0", "no", "off"} else None


def whole_number(text: str) -> int | None:
    """Read a whole number from 0 in at most nine digits; None for anything else."""
    # isdecimal alone would let through digits of other scripts, and int() takes time for long ones.
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
