"""No storage at all: the document goes inside the request that places the call."""

from __future__ import annotations

from storage.base import Instructions, StorageError, document_bytes

# https://www.twilio.com/docs/voice/api/call-resource#twiml
MAX_CHARACTERS = 4_000


class InlineStorage:
    """Passes the TwiML in the call's `Twiml` parameter, which takes up to 4,000 characters."""

    label = "the request itself"

    async def publish(self, name: str, xml: str) -> Instructions:
        """Return instructions that contain `xml` itself. Raise StorageError if it is too long."""
        document_bytes("the request", xml)
        if len(xml) > MAX_CHARACTERS:
            raise StorageError(
                "the request",
                f"The TwiML is {len(xml):,} characters long; "
                f"a request to Twilio takes at most {MAX_CHARACTERS:,}.",
                "Shorten the message, or set up S3, FTP or a public address for longer ones.",
            )
        return Instructions(twiml=xml)

    async def delete(self, instructions: Instructions) -> None:
        """Do nothing: nothing was stored."""

    async def close(self) -> None:
        """Do nothing: nothing is open."""
