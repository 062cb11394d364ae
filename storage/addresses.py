"""The URLs of the settings: split and checked, without ever repeating a password."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from storage.base import StorageError


def split_url(service: str, what: str, url: str) -> SplitResult:
    """Split a URL. Raise StorageError if it is malformed, without quoting it.

    `what` names it in the sentence, such as "FTP URL".
    """
    try:
        parts = urlsplit(url.strip())
        # Python parses the port only here, and its error quotes it: perhaps part of a password.
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
            service, f"The {what} has no host name.", "Write it as scheme://host/folder."
        )
    return parts


def public_address(service: str, what: str, url: str) -> str:
    """Return `url` without trailing slashes. Raise StorageError if Twilio cannot fetch from it."""
    parts = split_url(service, what, url)
    if parts.scheme not in ("http", "https"):
        raise StorageError(
            service, f"The {what} is not a web address.", "Begin it with https:// or http://."
        )
    if parts.username is not None or parts.query or parts.fragment or " " in url.strip():
        raise StorageError(
            service,
            f"The {what} contains more than a host and a path.",
            "Remove any user name, password and spaces, and everything after ? or #.",
        )
    if "_" in (parts.hostname or ""):
        raise StorageError(
            service,
            f"The {what} has an underscore in its host name, which Twilio refuses.",
            "Use a host name of letters, digits, dots and hyphens. "
            "See https://www.twilio.com/docs/api/errors/21609.",
        )
    return parts.geturl().rstrip("/")
