"""A session with an FTP host: logging in, and storing and removing files in its folder."""

from __future__ import annotations

import ftplib
import io
import socket
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.addresses import FTPAddress

# For connecting, and for each reply of the host. Some take seconds to check a password.
REPLY_SECONDS = 15.0
# How long to wait until the host confirms that a TLS connection for data is at its end.
CLOSE_NOTIFY_SECONDS = 3.0


class FTPSession(ftplib.FTP):
    """ftplib's session, which also knows the command that the host refused."""

    def __init__(self) -> None:
        super().__init__(timeout=REPLY_SECONDS)
        self._command = ""

    def putcmd(self, line: str) -> None:
        self._command = line.split(" ", 1)[0]
        super().putcmd(line)

    def getline(self) -> str:
        # Only the code of a reply matters, so tolerate words that aren't UTF-8.
        if isinstance(self.file, io.TextIOWrapper) and self.file.errors != "replace":
            self.file.reconfigure(errors="replace")
        return super().getline()

    def getresp(self) -> str:
        try:
            return super().getresp()
        except ftplib.Error as error:
            error.command = self._command  # type: ignore[attr-defined]
            raise


class SecureFTPSession(FTPSession, ftplib.FTP_TLS):
    """The same with explicit TLS, in one TLS session, which vsftpd and others require for data."""

    def __init__(self, context: ssl.SSLContext) -> None:
        ftplib.FTP_TLS.__init__(self, context=context, timeout=REPLY_SECONDS)  # noqa: S321
        self._command = ""

    def ntransfercmd(
        self, cmd: str, rest: int | str | None = None
    ) -> tuple[socket.socket, int | None]:
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)  # noqa: S321
        control = self.sock
        if not isinstance(control, ssl.SSLSocket):
            return connection, size
        try:
            return self.context.wrap_socket(
                connection, server_hostname=self.host, session=control.session
            ), size
        except OSError:
            connection.close()
            # The host's reply tells more than the failed handshake, if there is one.
            self.voidresp()
            raise


def refused_command(error: ftplib.Error) -> str:
    """Return the command that the host refused, such as "STOR"; "" if it was the connection."""
    return getattr(error, "command", "")


def open_session(address: FTPAddress, ssl_context: ssl.SSLContext | None) -> ftplib.FTP:
    """Log in and change to the address's folder, creating it if it is missing."""
    session: ftplib.FTP = (
        SecureFTPSession(ssl_context or ssl.create_default_context())
        if address.secure
        else FTPSession()
    )
    try:
        session.connect(address.host, address.port)
        session.login(address.user, address.password)
        if isinstance(session, ftplib.FTP_TLS):
            session.prot_p()
        for folder in address.folders:
            _enter(session, folder)
    except BaseException:
        session.close()
        raise
    return session


def hang_up(session: ftplib.FTP) -> None:
    """Say goodbye without waiting for an answer, which some hosts don't give."""
    with suppress(*ftplib.all_errors):
        session.putcmd("QUIT")
    session.close()


def upload(session: ftplib.FTP, file_name: str, document: bytes) -> None:
    """Store `document` under a temporary name, then rename it to the one that Twilio gets."""
    unfinished = f"{file_name}.tmp"
    try:
        _store(session, unfinished, document)
        session.rename(unfinished, file_name)
    except ftplib.Error:
        # Report the first error. Cleaning up may fail as well, for instance if the host is gone.
        with suppress(*ftplib.all_errors):
            session.delete(unfinished)
        raise


def _store(session: ftplib.FTP, file_name: str, document: bytes) -> None:
    session.voidcmd("TYPE I")
    connection = session.transfercmd(f"STOR {file_name}")
    try:
        connection.sendall(document)
        _finish(connection)
    except OSError:
        connection.close()
        # The host's reply tells more than the broken connection, if there is one.
        session.voidresp()
        raise
    connection.close()
    # Only this confirms that the whole document arrived.
    session.voidresp()


def _finish(connection: socket.socket) -> None:
    """End a TLS connection in good order, as far as the host takes part in it."""
    if isinstance(connection, ssl.SSLSocket):
        connection.settimeout(CLOSE_NOTIFY_SECONDS)
        # Many hosts close the connection at once, without close_notify (RFC 8446, section 6.1).
        with suppress(OSError):
            connection.unwrap()


def remove(session: ftplib.FTP, file_name: str) -> None:
    """Delete a file if it is there."""
    try:
        session.delete(file_name)
    except ftplib.Error as refusal:
        # Hosts refuse with 550, 450 or others, whether the file is gone or protected.
        if _is_goodbye(refusal) or _exists(session, file_name):
            raise


def _exists(session: ftplib.FTP, file_name: str) -> bool:
    session.voidcmd("TYPE I")
    try:
        session.size(file_name)
    except ftplib.Error as refusal:
        if _is_goodbye(refusal):
            raise
        return False
    return True


def _is_goodbye(refusal: ftplib.Error) -> bool:
    return str(refusal).startswith("421")


def _enter(session: ftplib.FTP, folder: str) -> None:
    try:
        session.cwd(folder)
    except ftplib.error_perm:
        # Another upload may have created it in the meantime: only entering it has to succeed.
        with suppress(ftplib.error_perm):
            session.mkd(folder)
        session.cwd(folder)
