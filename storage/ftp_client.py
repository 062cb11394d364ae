"""An FTP host: where it is, logging in, and the commands of one login."""

from __future__ import annotations

import ftplib
import io
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import unquote

from storage.addresses import split_url
from storage.base import StorageError

# For each step: connecting, and each reply of the host.
TIMEOUT_SECONDS = 10.0


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


@contextmanager
def open_session(address: FTPAddress, ssl_context: ssl.SSLContext | None) -> Iterator[ftplib.FTP]:
    """Log in and change to the address's folder, creating it if it is missing."""
    session = _new_session(address, ssl_context)
    try:
        session.connect(address.host, address.port)
        session.login(address.user, address.password)
        if isinstance(session, ftplib.FTP_TLS):
            session.prot_p()
        for folder in address.folders:
            _enter(session, folder)
        yield session
        # Everything is confirmed by now, and some hosts hang up without replying.
        with suppress(*ftplib.all_errors):
            session.quit()
    finally:
        session.close()


def upload(session: ftplib.FTP, file_name: str, document: bytes) -> None:
    """Store `document` under a temporary name, then rename it to the one that Twilio gets."""
    unfinished = f"{file_name}.tmp"
    try:
        session.storbinary(f"STOR {unfinished}", io.BytesIO(document))
        session.rename(unfinished, file_name)
    except ftplib.all_errors:
        # Report the first error. Cleaning up may fail as well, for instance if the host is gone.
        with suppress(*ftplib.all_errors):
            session.delete(unfinished)
        raise


def remove(session: ftplib.FTP, file_name: str) -> None:
    """Delete a file if it is there."""
    try:
        session.delete(file_name)
    except ftplib.error_perm:
        if _exists(session, file_name):
            raise


def _exists(session: ftplib.FTP, file_name: str) -> bool:
    session.voidcmd("TYPE I")
    try:
        session.size(file_name)
    except ftplib.error_perm:
        return False
    return True


def _new_session(address: FTPAddress, ssl_context: ssl.SSLContext | None) -> ftplib.FTP:
    if not address.secure:
        return ftplib.FTP(timeout=TIMEOUT_SECONDS)  # noqa: S321
    context = ssl_context or ssl.create_default_context()
    return _OneSessionTLS(context=context, timeout=TIMEOUT_SECONDS)


def _enter(session: ftplib.FTP, folder: str) -> None:
    try:
        session.cwd(folder)
    except ftplib.error_perm:
        # Another upload may have created it in the meantime: only entering it has to succeed.
        with suppress(ftplib.error_perm):
            session.mkd(folder)
        session.cwd(folder)


class _OneSessionTLS(ftplib.FTP_TLS):
    """Reuses the control connection's TLS session for data, which vsftpd and others require."""

    def ntransfercmd(
        self, cmd: str, rest: int | str | None = None
    ) -> tuple[socket.socket, int | None]:
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)  # noqa: S321
        control = self.sock
        if not isinstance(control, ssl.SSLSocket):
            return connection, size
        return self.context.wrap_socket(
            connection, server_hostname=self.host, session=control.session
        ), size
