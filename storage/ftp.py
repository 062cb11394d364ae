"""Documents in a folder of an FTP host that a web server publishes."""

from __future__ import annotations

import ftplib
import ssl
from collections.abc import Callable
from functools import partial

from storage.addresses import FTPAddress, public_address
from storage.base import Instructions, document_bytes, name_in_url, unguessable_name
from storage.ftp_errors import as_storage_errors
from storage.ftp_pool import FTPPool
from storage.ftp_session import open_session, remove, upload
from storage.upload_threads import UploadThreads

# Hosts often allow only a few connections from one address.
UPLOADS_AT_ONCE = 4
UPLOAD_DEADLINE_SECONDS = 30.0


class FTPStorage:
    """Uploads each document to `url`; Twilio fetches it from `public_base_url`.

    `url` is `ftp://user:password@host:port/folder`, or `ftps://…` for explicit TLS (RFC 4217).
    Percent-encode special characters in the user name and password. A missing folder is created.
    `ssl_context` replaces the default check of the host's certificate. Nothing expires: an FTP
    host keeps documents until they are removed. Logins are kept for some seconds after a document.
    """

    def __init__(
        self, url: str, public_base_url: str, *, ssl_context: ssl.SSLContext | None = None
    ) -> None:
        self._address = FTPAddress.from_url(url)
        self._public_base_url = public_address(
            "FTP", "public address of the FTP folder", public_base_url
        )
        self._sessions = FTPPool(partial(open_session, self._address, ssl_context))
        self._threads = UploadThreads(UPLOADS_AT_ONCE, UPLOAD_DEADLINE_SECONDS)

    @property
    def label(self) -> str:
        return f"FTP host {self._address.host}"

    async def publish(self, name: str, xml: str) -> Instructions:
        """Upload `xml`, and only then give it the name that Twilio fetches."""
        document = document_bytes("FTP", xml)
        file_name = f"{unguessable_name(name)}.xml"
        with as_storage_errors(self._address):
            await self._run(partial(upload, file_name=file_name, document=document))
        return Instructions(url=f"{self._public_base_url}/{file_name}")

    async def delete(self, instructions: Instructions) -> None:
        """Remove the file. One that is already gone is not an error."""
        name = name_in_url(instructions.url or "")
        if name is not None:
            with as_storage_errors(self._address):
                await self._run(partial(remove, file_name=f"{name}.xml"))

    async def close(self) -> None:
        """Accept no more documents, and let running uploads finish."""
        self._threads.close()
        self._sessions.close()

    async def _run(self, task: Callable[[ftplib.FTP], None]) -> None:
        await self._threads.run(partial(self._sessions.run, task))
