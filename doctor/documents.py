"""Where documents live: one is stored, read as Twilio would read it, and deleted."""

from __future__ import annotations

import time

import httpx

from alerts.services import LOCAL_EXPIRE_SECONDS, Services
from doctor.check import Check, Fix, Group, Line, Lines
from doctor.public_addresses import (
    ANSWER_TIMEOUT_SECONDS,
    TUNNELS,
    no_answer,
    why_out_of_reach,
)
from settings import Settings, StorageKind
from storage import FTPStorage, Instructions, LocalStorage, S3Storage, StorageError
from twilio_client import network_transport
from twiml import Response, Say

# Twilio appends such parameters to a GET. A presigned URL breaks when they are added.
TWILIO_PARAMETERS = {
    "CallSid": "CA" + "0" * 32,
    "From": "+15005550006",
    "CallStatus": "in-progress",
}
# The setting to change if Twilio can't reach the documents.
ADDRESS_SETTINGS: dict[StorageKind, str] = {
    "s3": "S3_PUBLIC_BASE_URL",
    "ftp": "FTP_PUBLIC_BASE_URL",
    "local": "PUBLIC_URL",
}
# How S3 services refuse to let anyone read; Cloudflare's R2 answers 400.
REFUSALS = (httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
XML_TYPES = ("text/xml", "application/xml")
CREATE_BUCKET = Fix(".venv/bin/python -m alerts doctor --create-bucket")
SILENT = "Nobody hears a word: Twilio can't read what calls say."
HOURS_OF_LOCAL = LOCAL_EXPIRE_SECONDS // 3600


class DocumentChecks:
    """The checks of the storage; with `create_bucket` they first set up the bucket."""

    def __init__(
        self, settings: Settings, services: Services, *, create_bucket: bool = False
    ) -> None:
        self._settings = settings
        self._services = services
        self._storage = services.storage
        self._create_bucket = create_bucket

    def checks(self) -> list[Check]:
        """Return the checks, in order."""
        # Setting up a bucket may take long.
        seconds = 120.0 if self._create_bucket else 45.0
        return [Check("storage", Group.DOCUMENTS, "Documents", self.storage, seconds)]

    async def storage(self) -> Lines:
        """Store a document, read it, delete it; say when documents are gone."""
        lines = [await self._set_up_bucket()] if self._create_bucket else []
        document = Response(Say("Callboard's doctor was here.")).to_xml()
        began = time.monotonic()
        try:
            instructions = await self._storage.publish("doctor", document)
            try:
                problem = await self._why_unreadable(instructions, document)
            finally:
                await self._storage.delete(instructions)
        except StorageError as broken:
            words = "Nobody can be called: what calls say can't be stored."
            fixes = (CREATE_BUCKET,) if isinstance(self._storage, S3Storage) else ()
            return [*lines, Line("broken", words, str(broken), fixes)]
        if problem:
            return [*lines, problem]
        if instructions.url is None:
            words = "Documents go inside the request; nothing is stored."
            return [*lines, Line("fine", words)]
        label = self._storage.label
        took = time.monotonic() - began
        words = f"{label[0].upper()}{label[1:]}: written, read as Twilio would, and deleted"
        lines.append(Line("fine", f"{words}, in {took:.1f} s."))
        return [*lines, *await self._expiry()]

    async def _set_up_bucket(self) -> Line:
        if not isinstance(self._storage, S3Storage):
            words = "No bucket was made: documents don't go to S3."
            return Line("broken", words, "Set its name first.", (Fix("S3_BUCKET=…", "In .env"),))
        try:
            done = await self._storage.create_bucket()
        except StorageError as problem:
            return Line("broken", "The bucket couldn't be set up.", str(problem))
        return Line("fine", "The bucket is set up.", " ".join(done))

    async def _expiry(self) -> Lines:
        if isinstance(self._storage, LocalStorage):
            return [Line("fine", f"Documents are gone after {HOURS_OF_LOCAL} hours.")]
        if isinstance(self._storage, FTPStorage):
            words = "Documents stay on the FTP host for good, and hold what was said to whom."
            seen = "No FTP host deletes by itself. On that machine, once a day:"
            command = Fix("find /folder/of/documents -name '*.xml' -mtime +7 -delete")
            return [Line("to do", words, seen, (command,))]
        if not isinstance(self._storage, S3Storage):
            return []
        try:
            days = await self._storage.expires_after_days()
        except StorageError as problem:
            words = "This service doesn't say whether documents expire."
            return [Line("unknown", words, str(problem))]
        if days is None:
            words = "Documents stay in the bucket for good, and hold what was said to whom."
            return [Line("to do", words, "No rule deletes them. Add one:", (CREATE_BUCKET,))]
        return [Line("fine", f"Documents are gone after {days} day{'s' * (days != 1)}.")]

    async def _why_unreadable(self, instructions: Instructions, document: str) -> Line | None:
        if instructions.url is None:
            return None
        url = instructions.url
        hidden = why_hidden(self._settings, url)
        if hidden:
            return self._out_of_reach(f"{self._storage.label}, at {url}: {hidden}.")
        try:
            async with httpx.AsyncClient(
                transport=self._services.documents or network_transport(),
                timeout=ANSWER_TIMEOUT_SECONDS,
                follow_redirects=True,
            ) as twilio:
                answer = await twilio.get(url, params=TWILIO_PARAMETERS)
        except httpx.HTTPError as problem:
            return Line("broken", SILENT, no_answer(f"{self._storage.label}, at {url}", problem))
        return self._why_wrong(answer, document, url)

    def _out_of_reach(self, seen: str) -> Line:
        name = ADDRESS_SETTINGS.get(self._settings.storage_kind, "the address of the storage")
        if name == "PUBLIC_URL":
            return Line("broken", SILENT, f"{seen} Let Twilio in, or {INLINE}", TUNNELS)
        fix = Fix(f"{name}=https://…", "In .env, the address where the internet reads them")
        return Line("broken", SILENT, seen, (fix, Fix("STORAGE=inline", "Or inside the request")))

    def _why_wrong(self, answer: httpx.Response, document: str, url: str) -> Line | None:
        where = f"{self._storage.label}, at {url}"
        status = answer.status_code
        if status in REFUSALS and isinstance(self._storage, S3Storage):
            seen = (
                f"Twilio may not read {where} (HTTP {status}). If the command didn't help, make "
                "the prefix readable with the service's own tools, and set S3_PUBLIC_BASE_URL to "
                "the address where it can be read."
            )
            return Line("broken", SILENT, seen, (CREATE_BUCKET,))
        if status != httpx.codes.OK:
            return Line("broken", SILENT, f"It would get HTTP {status} from {where}.")
        content_type = answer.headers.get("content-type", "no content type")
        if content_type.split(";")[0] not in XML_TYPES:
            seen = f"It would not take it for TwiML: {where} says {content_type}."
            return Line("broken", SILENT, seen)
        if answer.text != document:
            seen = f"The document read from {where} isn't the one that was stored."
            return Line("broken", SILENT, seen)
        return None


INLINE = "set STORAGE=inline."


def why_hidden(settings: Settings, url: str) -> str | None:
    """Return why Twilio can't reach `url`, or None. A local TWILIO_BASE_URL may reach it."""
    if settings.simulated or why_out_of_reach(settings.twilio_base_url):
        return None
    return why_out_of_reach(url)
