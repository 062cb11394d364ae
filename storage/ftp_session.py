"""One login at an FTP host, and what is done during it."""

from __future__ import annotations

import ftplib
import io
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from storage.ftp_address import FTPAddress

TIMEOUT_SECONDS = 10.0


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
