"""The URLs of the settings: split and checked, without ever repeating a password."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

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


@dataclass(frozen=True)
class FTPAddress:
    """The parts of an FTP URL. The repr leaves the password out."""

    host: str
    port: int
    secure: bool
    user: str
    password: str = field(repr=False)
    folders: tuple[str, ...]

    @classmethod
    def from_url(cls, url: str) -> FTPAddress:
        """Read `ftp://user:password@host:port/folder`, or the same with `ftps://`.

        The folder is relative to where the login starts; `//folder` is relative to the host's root
        (RFC 1738, section 3.2.2). Raise StorageError if the URL is malformed.
        """
        parts = split_url("FTP", "FTP URL", url)
        if parts.scheme not in ("ftp", "ftps"):
            raise StorageError(
                "FTP",
                "The FTP URL has the wrong scheme.",
                "Begin it with ftp://, or ftps:// for TLS.",
            )
        # An @ in the path means that the password contains a /, which ended the host too early.
        if parts.query or parts.fragment or "@" in parts.path:
            raise StorageError(
                "FTP",
                "The FTP URL contains a character that must be percent-encoded.",
                "In user name, password and folder, write / as %2F, ? as %3F, # as %23, @ as %40.",
            )
        path = unquote(parts.path.removeprefix("/"))
        root = ("/",) if path.startswith("/") else ()
        address = cls(
            host=parts.hostname or "",
            port=parts.port or 21,
            secure=parts.scheme == "ftps",
            user=unquote(parts.username or "anonymous"),
            password=unquote(parts.password or ""),
            folders=(*root, *(folder for folder in path.split("/") if folder)),
        )
        if any(ord(c) < 32 for c in address.user + address.password + path):
            raise StorageError(
                "FTP",
                "The FTP URL contains a control character.",
                "Check the user name, the password and the folder for %0A, %0D and the like.",
            )
        return address
