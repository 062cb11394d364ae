"""What every storage has in common: its methods, the instructions it returns, and its error."""

from __future__ import annotations

import re
import secrets
import unicodedata
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Instructions:
    """Where Twilio finds the TwiML of a call: at `url`, or as `twiml` inside the request.

    Exactly one of them is set. Pass both to `TwilioClient.create_call`, whose default is to have
    the URL fetched with GET. Twilio's own default is POST, which S3 answers with 405.
    See https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource
    """

    url: str | None = None
    twiml: str | None = None

    def __post_init__(self) -> None:
        if (self.url is None) == (self.twiml is None):
            raise ValueError("Instructions need either a url or a twiml document.")


class Storage(Protocol):
    """A place from which Twilio can read TwiML documents."""

    @property
    def label(self) -> str:
        """What people call this place, such as "S3 bucket twilio-xml"."""
        ...

    async def publish(self, name: str, xml: str) -> Instructions:
        """Store `xml` and return the instructions for the call.

        `name` may be any text, such as a date and a user. It becomes part of the document's
        name, which is made safe and unguessable. Raise StorageError if `xml` could not be stored.
        """
        ...

    async def delete(self, instructions: Instructions) -> None:
        """Remove what `publish` stored. A document that is already gone is not an error."""
        ...

    async def close(self) -> None:
        """Accept no more documents, without waiting for running uploads."""
        ...


class StorageError(Exception):
    """A document could not be published, read or removed, or a storage is set up wrongly.

    `service` is "S3", "FTP", "this app" or "the request"; `message` is one sentence that says which
    bucket or host failed and how; `hint` says what to check. None of them contains a secret.
    """

    def __init__(self, service: str, message: str, hint: str) -> None:
        super().__init__(f"{message} {hint}")
        self.service = service
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type[StorageError], tuple[str, str, str]]:
        return type(self), (self.service, self.message, self.hint)


# https://www.twilio.com/docs/api/errors/11750
MAX_FETCHED_BYTES = 64 * 1024

_READABLE_LENGTH = 60
_RANDOM_BYTES = 16
_NAME = re.compile(r"(?:[a-z0-9]+(?:-[a-z0-9]+)*-)?[0-9a-f]{32}")


def document_bytes(service: str, xml: str) -> bytes:
    """Return `xml` in UTF-8. Raise StorageError if Twilio would not read it from a URL."""
    try:
        document = xml.encode()
    except UnicodeEncodeError:
        raise StorageError(
            service,
            "The TwiML contains a character that cannot be written as UTF-8.",
            "Remove the broken character, perhaps half an emoji, from the message.",
        ) from None
    if len(document) > MAX_FETCHED_BYTES:
        raise StorageError(
            service,
            f"The TwiML is {len(document):,} bytes long; Twilio reads up to {MAX_FETCHED_BYTES:,}.",
            "Shorten the message.",
        )
    return document


def unguessable_name(readable: str) -> str:
    """Turn any text into a document's name, such as "2026-11-23-0942-ann-3f…", without ".xml".

    It ends in 128 random bits. They keep a publicly readable document private, and make the names
    of two documents by one user in one minute differ.
    """
    latin = unicodedata.normalize("NFKD", readable).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", latin.lower())[:_READABLE_LENGTH].strip("-")
    random = secrets.token_hex(_RANDOM_BYTES)
    return f"{slug}-{random}" if slug else random


def is_document_name(name: str) -> bool:
    """Return whether `unguessable_name` makes such names, which need no escaping anywhere."""
    return _NAME.fullmatch(name) is not None


def name_in_url(url: str) -> str | None:
    """Return the document name at the end of one of our URLs, None for any other URL."""
    file_name = url.rsplit("/", 1)[-1]
    name = file_name.removesuffix(".xml")
    return name if name != file_name and is_document_name(name) else None
