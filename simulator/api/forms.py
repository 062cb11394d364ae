"""The parameters of one request, read the way Twilio reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request

LONGEST_LOGGED = 10_000
"""Characters of one text in the log; the longest TwiML in a request has 4,000."""

_SECRET_PARAMETERS = frozenset({"SipAuthPassword"})
_USER_AND_PASSWORD = re.compile(r"(?<=://)[^/?#\s]*@")


@dataclass(frozen=True)
class Form:
    """Names and values in the order they came; a name may come more than once."""

    pairs: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """The first value of `name`, or an empty string: Twilio treats both alike."""
        return next((value for key, value in self.pairs if key == name), "")

    def get_all(self, name: str) -> tuple[str, ...]:
        """Every value of `name` that isn't empty."""
        return tuple(value for key, value in self.pairs if key == name and value)

    def __contains__(self, name: str) -> bool:
        return any(key == name for key, _ in self.pairs)

    def for_log(self) -> list[tuple[str, str]]:
        """The pairs without passwords, and none of them very long."""
        return [
            (shortened(key), "********" if key in _SECRET_PARAMETERS else shortened(value))
            for key, value in self.pairs
        ]


def shortened(text: str) -> str:
    """`text` without passwords, cut to LONGEST_LOGGED."""
    # Passwords first: a cut could take away the @ by which they are known.
    text = without_password(text)
    return text if len(text) <= LONGEST_LOGGED else f"{text[:LONGEST_LOGGED]}…"


def without_password(text: str) -> str:
    """`text` with the user and password of every URL in it masked."""
    return _USER_AND_PASSWORD.sub("********@", text)


async def read_form(request: Request) -> Form:
    """The body of a POST; anything but form encoding counts as no parameters, as at Twilio."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded":
        return Form()
    return parse_form(await request.body())


def read_query(request: Request) -> Form:
    """The query string of a request."""
    return parse_form(request.scope["query_string"])


def parse_form(encoded: bytes) -> Form:
    """Form-encoded bytes; what isn't UTF-8 becomes the replacement character."""
    text = encoded.decode("utf-8", errors="replace")
    return Form(tuple(parse_qsl(text, keep_blank_values=True, errors="replace")))
