"""The public web addresses that documents appear under."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from storage.base import StorageError


def split_url(service: str, what: str, url: str) -> SplitResult:
    """Split a URL from the settings; StorageError, never with the URL in it, if it is none."""
    try:
        parts = urlsplit(url.strip())
        # Python reads the port only now, and quotes what it found: perhaps a piece of a password.
        _ = parts.port
    except ValueError:
        raise StorageError(
            service,
            f"The {what} is not a usable URL.",
            "Write the characters @ : / # ? % of a user name or password as %40 %3A %2F %23 %3F "
            "%25, and the port as a number.",
        ) from None
    if not parts.hostname:
        raise StorageError(
            service, f"The {what} names no host.", "Write it as scheme://host/folder."
        )
    return parts


def public_address(service: str, what: str, url: str) -> str:
    """`url` without trailing slashes, if it is one that Twilio can fetch documents under."""
    parts = split_url(service, what, url)
    if parts.scheme not in ("http", "https"):
        raise StorageError(
            service, f"The {what} is not a web address.", "Begin it with https:// or http://."
        )
    if parts.username is not None or parts.query or parts.fragment or " " in url.strip():
        raise StorageError(
            service,
            f"The {what} holds more than a host and a path.",
            "Remove any user name, password and spaces, and whatever follows ? or #.",
        )
    if "_" in (parts.hostname or ""):
        raise StorageError(
            service,
            f"The {what} has an underscore in its host name, which Twilio refuses.",
            "Use a host name of letters, digits, dots and hyphens. "
            "See https://www.twilio.com/docs/api/errors/21609.",
        )
    return parts.geturl().rstrip("/")
