"""No place at all: the document travels inside the request that places the call."""

from __future__ import annotations

from storage.base import Instructions, StorageError
from storage.documents import document_bytes

# https://www.twilio.com/docs/voice/api/call-resource#twiml
MAX_CHARACTERS = 4_000


class InlineStorage:
    """Puts the TwiML into the call's `Twiml` parameter, which holds 4,000 characters."""

    label = "the request itself"

    async def publish(self, name: str, xml: str) -> Instructions:
        """Instructions that hold `xml` itself; StorageError if it is too long for that."""
        document_bytes("the request", xml)
        if len(xml) > MAX_CHARACTERS:
            raise StorageError(
                "the request",
                f"The TwiML is {len(xml):,} characters long; "
                f"a request to Twilio holds {MAX_CHARACTERS:,}.",
                "Shorten the message, or set up S3, FTP or a public address for longer ones.",
            )
        return Instructions(twiml=xml)

    async def delete(self, instructions: Instructions) -> None:
        """Do nothing: nothing was stored."""

    async def close(self) -> None:
        """Do nothing: nothing is open."""
