"""Addresses on a customer's server: where TwiML comes from, and where to report what happens."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Instructions:
    """A TwiML document to follow: `url` fetched with `method` and `parameters`, or `twiml`."""

    url: str | None = None
    method: str = "POST"
    twiml: str | None = None
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Callback:
    """Where to tell something, and with which HTTP method."""

    url: str
    method: str = "POST"


CALL_EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
"""https://www.twilio.com/docs/voice/api/call-resource#statuscallbackevent"""


def call_events(words: str) -> frozenset[str]:
    """The same from words with spaces between, as TwiML has them."""
    return CALL_EVENTS.intersection(words.split()) or frozenset({"completed"})


def is_web_address(url: str) -> bool:
    """Whether Twilio takes `url`: absolute, http or https, no underscore in the host name."""
    if any(character.isspace() or not character.isprintable() for character in url):
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname
        parts.port  # noqa: B018 - reading it checks it
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(host) and "_" not in (host or "")
