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
