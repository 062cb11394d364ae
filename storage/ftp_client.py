"""One login at an FTP host, and what is done during it."""

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

TIMEOUT_SECONDS = 10.0


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


@contextmanager
def open_session(address: FTPAddress, ssl_context: ssl.SSLContext | None) -> Iterator[ftplib.FTP]:
    """Log in and change to the address's folder, which is created if need be."""
    session = _new_session(address, ssl_context)
    try:
        session.connect(address.host, address.port)
        session.login(address.user, address.password)
        if isinstance(session, ftplib.FTP_TLS):
            session.prot_p()
        for folder in address.folders:
            _enter(session, folder)
        yield session
        # All work is done and confirmed by now; some hosts hang up without a word.
        with suppress(*ftplib.all_errors):
            session.quit()
    finally:
        session.close()


def upload(session: ftplib.FTP, file_name: str, document: bytes) -> None:
    """Store `document` completely before it gets the name that Twilio is told."""
    unfinished = f"{file_name}.tmp"
    try:
        session.storbinary(f"STOR {unfinished}", io.BytesIO(document))
        session.rename(unfinished, file_name)
    except ftplib.all_errors:
        # The first error is the one to tell; a host that is gone cannot be tidied up.
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
        # Another upload may make the folder first; whether it is there is what counts.
        with suppress(ftplib.error_perm):
            session.mkd(folder)
        session.cwd(folder)


class _OneSessionTLS(ftplib.FTP_TLS):
    """Resumes the control connection's TLS session for data: vsftpd and others insist on it."""

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
