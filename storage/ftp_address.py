"""Where an FTP host is and how to log in there."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote

from storage.addresses import split_url
from storage.errors import StorageError


@dataclass(frozen=True)
class FTPAddress:
    """An FTP URL, taken apart. The password is left out of its repr."""

    host: str
    port: int
    secure: bool
    user: str
    password: str = field(repr=False)
    folders: tuple[str, ...]

    @classmethod
    def from_url(cls, url: str) -> FTPAddress:
        """Read `ftp://` or `ftps://user:password@host:port/folder`; StorageError if it is neither.

        The folder is relative to where the login ends up; `//folder` starts at the host's root
        (RFC 1738, section 3.2.2).
        """
        parts = split_url("FTP", "FTP URL", url)
        if parts.scheme not in ("ftp", "ftps"):
            raise StorageError(
                "FTP", "The FTP URL is none.", "Begin it with ftp://, or ftps:// for TLS."
            )
        # An @ after the host means that a / of the password was taken for the end of the host.
        if parts.query or parts.fragment or "@" in parts.path:
            raise StorageError(
                "FTP",
                "The FTP URL holds a character that has to be encoded.",
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
                "The FTP URL holds a control character.",
                "Check the user name, the password and the folder for %0A, %0D and the like.",
            )
        return address
