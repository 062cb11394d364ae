"""Documents on an FTP host whose folder a web server shows to the world."""

from __future__ import annotations

import ssl
from functools import partial

from storage.addresses import public_address
from storage.base import Instructions
from storage.documents import document_bytes, name_in_url, unguessable_name
from storage.ftp_client import FTPAddress, open_session, remove, upload
from storage.ftp_errors import explained
from storage.upload_threads import UploadThreads

# Hosts commonly allow only a handful of connections from one address.
UPLOADS_AT_ONCE = 4
DEADLINE_SECONDS = 30.0


class FTPStorage:
    """Uploads each document to `url`, from where it appears under `public_base_url`.

    `url` is `ftp://user:password@host:port/folder`, or `ftps://…` for explicit TLS (RFC 4217); in
    the user's name and password, characters that mean something in a URL are percent-encoded. A
    folder that is missing is created. `ssl_context` replaces the usual check of the host's
    certificate. Nothing expires here: an FTP host keeps documents until somebody removes them.
    """

    def __init__(
        self, url: str, public_base_url: str, *, ssl_context: ssl.SSLContext | None = None
    ) -> None:
        self._address = FTPAddress.from_url(url)
        self._public_base_url = public_address(
            "FTP", "public address of the FTP folder", public_base_url
        )
        self._ssl_context = ssl_context
        self._threads = UploadThreads(UPLOADS_AT_ONCE, DEADLINE_SECONDS)

    @property
    def label(self) -> str:
        return f"FTP host {self._address.host}"

    async def publish(self, name: str, xml: str) -> Instructions:
        """Upload `xml` under a temporary name, then rename it: half a document is never served."""
        document = document_bytes("FTP", xml)
        file_name = f"{unguessable_name(name)}.xml"
        with explained(self._address):
            await self._threads.run(partial(self._upload, file_name, document))
        return Instructions(url=f"{self._public_base_url}/{file_name}")

    async def delete(self, instructions: Instructions) -> None:
        """Remove the file; one that is gone already is no error."""
        name = name_in_url(instructions.url or "")
        if name is not None:
            with explained(self._address):
                await self._threads.run(partial(self._remove, f"{name}.xml"))

    async def close(self) -> None:
        """Take no more documents. Uploads under way end in their own time."""
        self._threads.close()

    def _upload(self, file_name: str, document: bytes) -> None:
        with open_session(self._address, self._ssl_context) as session:
            upload(session, file_name, document)

    def _remove(self, file_name: str) -> None:
        with open_session(self._address, self._ssl_context) as session:
            remove(session, file_name)
