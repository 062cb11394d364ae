"""A document's name and its bytes: safe in URLs, impossible to guess, within what Twilio reads."""

from __future__ import annotations

import re
import secrets
import unicodedata

from storage.base import StorageError

# https://www.twilio.com/docs/api/errors/11750
MAX_FETCHED_BYTES = 64 * 1024

_READABLE_LENGTH = 60
_RANDOM_BYTES = 16
_NAME = re.compile(r"(?:[a-z0-9]+(?:-[a-z0-9]+)*-)?[0-9a-f]{32}")


def document_bytes(service: str, xml: str) -> bytes:
    """The UTF-8 bytes of `xml`; StorageError if Twilio would refuse to read them from a URL."""
    try:
        document = xml.encode()
    except UnicodeEncodeError:
        raise StorageError(
            service,
            "The TwiML holds a character that cannot be written as UTF-8.",
            "Remove half an emoji or a similar broken character from the message.",
        ) from None
    if len(document) > MAX_FETCHED_BYTES:
        raise StorageError(
            service,
            f"The TwiML is {len(document):,} bytes long; Twilio reads {MAX_FETCHED_BYTES:,}.",
            "Shorten the message.",
        )
    return document


def unguessable_name(readable: str) -> str:
    """Turn any text into a document's name, without ".xml": "2026-11-23-0942-ann-3f…" and such.

    The 128 random bits at the end are what keeps a publicly readable document private, and what
    keeps two documents of one user and minute apart.
    """
    latin = unicodedata.normalize("NFKD", readable).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", latin.lower())[:_READABLE_LENGTH].strip("-")
    random = secrets.token_hex(_RANDOM_BYTES)
    return f"{slug}-{random}" if slug else random


def is_document_name(name: str) -> bool:
    """Whether `unguessable_name` could have made this: no dots, no slashes, nothing to escape."""
    return _NAME.fullmatch(name) is not None


def name_in_url(url: str) -> str | None:
    """The name of the document that a URL of ours ends in; None for any other URL."""
    file_name = url.rsplit("/", 1)[-1]
    name = file_name.removesuffix(".xml")
    return name if name != file_name and is_document_name(name) else None
