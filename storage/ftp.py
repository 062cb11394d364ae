"""Documents in a folder of an FTP host that a web server publishes."""

from __future__ import annotations

import ssl
from functools import partial

from storage.addresses import public_address
from storage.base import Instructions
from storage.documents import document_bytes, name_in_url, unguessable_name
from storage.ftp_client import FTPAddress, open_session, remove, upload
from storage.ftp_errors import as_storage_errors
from storage.upload_threads import UploadThreads

# Hosts commonly allow only a handful of connections from one address.
UPLOADS_AT_ONCE = 4
UPLOAD_DEADLINE_SECONDS = 30.0


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
