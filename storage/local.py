"""Documents in a folder of this machine, which the app serves at /twiml/…"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from storage.addresses import public_address
from storage.base import (
    Instructions,
    StorageError,
    document_bytes,
    is_document_name,
    name_in_url,
    unguessable_name,
)


class LocalStorage:
    """Keeps documents as files, so that every process on this machine finds them.

    `folder` is created when it is first needed. `base_url` is the app's public address, including
    its sub-path if it has one. A document can be read for `expire_seconds`. Serve the documents
    with `storage.twiml_route`.
    """

    label = "this app"

    def __init__(
        self, folder: str | os.PathLike[str], base_url: str, *, expire_seconds: float = 86_400
    ) -> None:
        self._folder = Path(folder)
        self._base_url = public_address("this app", "public address of this app", base_url)
        self._expire_seconds = expire_seconds
        self._next_sweep = 0.0

    async def publish(self, name: str, xml: str) -> Instructions:
        """Write `xml` into the folder; the URL is `{base_url}/twiml/{name}.xml`."""
        document = document_bytes("this app", xml)
        file_name = unguessable_name(name)
        await asyncio.to_thread(self._write, file_name, document)
        return Instructions(url=f"{self._base_url}/twiml/{file_name}.xml")

    async def read(self, name: str) -> str | None:
        """Return the document with this name (without ".xml"), None if it is unknown or expired."""
        return await asyncio.to_thread(self._read, name)

    async def delete(self, instructions: Instructions) -> None:
        """Remove the document. One that is already gone is not an error."""
        name = name_in_url(instructions.url or "")
        if name is not None:
            await asyncio.to_thread(self._remove, name)

    async def close(self) -> None:
        """Do nothing: nothing is open."""

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.xml"

    def _write(self, name: str, document: bytes) -> None:
        unfinished = self._path(name).with_suffix(".tmp")
        with self._explained("write"):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._remove_expired()
            unfinished.write_bytes(document)
            # Rename it when it is complete, so that another process never reads half a document.
            unfinished.replace(self._path(name))

    def _read(self, name: str) -> str | None:
        # Only names that we made become paths, so that no request can read outside the folder.
        if not is_document_name(name):
            return None
        path = self._path(name)
        with self._explained("read"), suppress(FileNotFoundError):
            return None if self._expired(path) else path.read_bytes().decode()
        return None

    def _remove(self, name: str) -> None:
        with self._explained("remove"):
            self._path(name).unlink(missing_ok=True)

    def _expired(self, path: Path) -> bool:
        return time.time() - path.stat().st_mtime >= self._expire_seconds

    def _remove_expired(self) -> None:
        if time.monotonic() < self._next_sweep:
            return
        self._next_sweep = time.monotonic() + self._expire_seconds / 10
        for path in self._folder.iterdir():
            # Leave other files in the folder alone.
            if path.suffix in (".xml", ".tmp") and is_document_name(path.stem):
                # Another process that shares the folder may remove the file at the same time.
                with suppress(FileNotFoundError):
                    if self._expired(path):
                        path.unlink()

    @contextmanager
    def _explained(self, task: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(
                "this app",
                f"This app could not {task} TwiML in the folder {self._folder}: {error.strerror}.",
                "Check that it may read and write there and that the disk is not full.",
            ) from error


def twiml_route(storage: LocalStorage) -> Route:
    """Return the Starlette route `GET|POST /twiml/{name}.xml` that serves `storage` to Twilio.

    Twilio adds CallSid, From and more, in the query string or as a form. They are ignored.
    See https://www.twilio.com/docs/voice/twiml#request-parameters
    """
    # A document may contain personal data, so no cache may keep it.
    headers = {"Cache-Control": "no-store"}

    async def serve_document(request: Request) -> Response:
        xml = await storage.read(request.path_params["name"])
        if xml is None:
            message = "There is no TwiML document at this address, or it has expired."
            return PlainTextResponse(message, status_code=404, headers=headers)
        return Response(xml, media_type="text/xml", headers=headers)

    return Route("/twiml/{name}.xml", serve_document, methods=["GET", "POST"], name="twiml")
