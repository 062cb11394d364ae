"""Where the next TwiML comes from: an address, or the request itself."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from simulator.api.forms import Form
from simulator.errors import ApiError

LONGEST_INLINE_TWIML = 4000


@dataclass(frozen=True)
class Instructions:
    """A TwiML document to follow: `url` fetched with `method` and `parameters`, or `twiml`."""

    url: str | None = None
    method: str = "POST"
    twiml: str | None = None
    parameters: tuple[tuple[str, str], ...] = ()


def read_instructions(form: Form) -> Instructions | None:
    """`Url` and `Method`, or else `Twiml`; None if there is neither. Raises ApiError."""
    method = read_method(form, "Method")
    url, twiml = form.get("Url"), form.get("Twiml")
    if url:
        if not is_web_address(url):
            raise ApiError(21205, f"Url is not a valid URL: {url}")
        return Instructions(url=url, method=method)
    if twiml:
        if len(twiml) > LONGEST_INLINE_TWIML:
            raise ApiError(32018, "Twiml size exceeded maximum allowed value of 4000 characters")
        return Instructions(twiml=twiml)
    return None


def read_fallback(form: Form) -> Instructions | None:
    """`FallbackUrl` and `FallbackMethod`, if there. Raises ApiError."""
    method = read_method(form, "FallbackMethod")
    url = form.get("FallbackUrl")
    if not url:
        return None
    if not is_web_address(url):
        raise ApiError(21205, f"FallbackUrl is not a valid URL: {url}")
    return Instructions(url=url, method=method)


def read_method(form: Form, name: str) -> str:
    """`GET` or `POST`; `POST` if nothing is said. Raises ApiError."""
    method = form.get(name).upper() or "POST"
    if method not in {"GET", "POST"}:
        raise ApiError(21209, f"{name} must be GET or POST.")
    return method


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
