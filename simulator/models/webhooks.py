"""Addresses on a customer's server: where TwiML comes from, and where to report what happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

Parameters = Sequence[tuple[str, str]]
"""Names and values of form fields, in order."""

CALL_EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
"""https://www.twilio.com/docs/voice/api/call-resource#statuscallbackevent"""


@dataclass(frozen=True)
class Instructions:
    """A TwiML document to follow: `url` fetched with `method` and `parameters`, or `twiml`."""

    url: str | None = None
    method: str = "POST"
    twiml: str | None = None
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Callback:
    """Where to report something, and with which HTTP method."""

    url: str
    method: str = "POST"


def call_events(words: str) -> frozenset[str]:
    """The call events named in `words`, separated by spaces; `completed` if none is."""
    return CALL_EVENTS.intersection(words.split()) or frozenset({"completed"})


def is_web_address(url: str) -> bool:
    """Whether Twilio accepts `url`: absolute, http or https, no underscore in the host name."""
    if any(character.isspace() or not character.isprintable() for character in url):
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname
        parts.port  # noqa: B018 - reading it checks it
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(host) and "_" not in (host or "")
