"""A document's bytes, within what Twilio reads."""

from __future__ import annotations

from storage.errors import StorageError

# https://www.twilio.com/docs/api/errors/11750
MAX_FETCHED_BYTES = 64 * 1024


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
