"""Documents in a folder of an FTP host that a web server publishes."""

from __future__ import annotations

import ftplib
import io
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

from storage.addresses import FTPAddress, public_address
from storage.base import Instructions, document_bytes, name_in_url, unguessable_name
from storage.ftp_errors import as_storage_errors
from storage.upload_threads import UploadThreads

# Hosts often allow only a few connections from one address.
UPLOADS_AT_ONCE = 4
UPLOAD_DEADLINE_SECONDS = 30.0
# For connecting, and for each reply of the host.
REPLY_SECONDS = 10.0


class FTPStorage:
    """Uploads each document to `url`; Twilio fetches it from `public_base_url`.

    `url` is `ftp://user:password@host:port/folder`, or `ftps://…` for explicit TLS (RFC 4217).
    Percent-encode special characters in the user name and password. A missing folder is created.
    `ssl_context` replaces the default check of the host's certificate. Nothing expires: an FTP
    host keeps documents until they are removed.
    """

    def __init__(
        self, url: str, public_base_url: str, *, ssl_context: ssl.SSLContext | None = None
    ) -> None:
        self._address = FTPAddress.from_url(url)
        self._public_base_url = public_address(
            "FTP", "public address of the FTP folder", public_base_url
        )
        self._ssl_context = ssl_context
        self._threads = UploadThreads(UPLOADS_AT_ONCE, UPLOAD_DEADLINE_SECONDS)

    @property
    def label(self) -> str:
        return f"FTP host {self._address.host}"

    async def publish(self, name: str, xml: str) -> Instructions:
        """Upload `xml`, and only then give it the name that Twilio fetches."""
        document = document_bytes("FTP", xml)
        file_name = f"{unguessable_name(name)}.xml"
        with as_storage_errors(self._address):
            await self._threads.run(partial(self._upload, file_name, document))
        return Instructions(url=f"{self._public_base_url}/{file_name}")

    async def delete(self, instructions: Instructions) -> None:
        """Remove the file. One that is already gone is not an error."""
        name = name_in_url(instructions.url or "")
        if name is not None:
            with as_storage_errors(self._address):
                await self._threads.run(partial(self._remove, f"{name}.xml"))

    async def close(self) -> None:
        """Accept no more documents, and let running uploads finish."""
        self._threads.close()

    def _upload(self, file_name: str, document: bytes) -> None:
        with open_session(self._address, self._ssl_context) as session:
            upload(session, file_name, document)

    def _remove(self, file_name: str) -> None:
        with open_session(self._address, self._ssl_context) as session:
            remove(session, file_name)


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
        return ftplib.FTP(timeout=REPLY_SECONDS)  # noqa: S321
    context = ssl_context or ssl.create_default_context()
    return _OneSessionTLS(context=context, timeout=REPLY_SECONDS)


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
