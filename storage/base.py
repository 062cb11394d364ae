"""What every storage does, and what publishing gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Instructions:
    """Where Twilio finds the TwiML of one call: at a URL, or inside the request itself.

    Exactly one of the two is set; both are arguments of `TwilioClient.create_call`. The URL is to
    be fetched with GET, that method's default: S3 answers POST, which is Twilio's, with 405.
    See https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource
    """

    url: str | None = None
    twiml: str | None = None

    def __post_init__(self) -> None:
        if (self.url is None) == (self.twiml is None):
            raise ValueError("Instructions hold either a url or a twiml document.")


class Storage(Protocol):
    """A place that Twilio can read a TwiML document from."""

    @property
    def label(self) -> str:
        """A few words that tell people which place this is: "S3 bucket twilio-xml"."""
        ...

    async def publish(self, name: str, xml: str) -> Instructions:
        """Store `xml` and say how a call gets it; `name` is the part that people can read.

        The name may be any text: it is made safe, and made unguessable, here. Raises
        StorageError if the document could not be stored; then no call should be placed.
        """
        ...

    async def delete(self, instructions: Instructions) -> None:
        """Remove what `publish` stored; a document that is gone already is no error."""
        ...

    async def close(self) -> None:
        """Let go of connections and threads, without waiting for uploads under way."""
        ...


class StorageError(Exception):
    """A document could not be published, read or removed, or a storage is set up wrongly.

    `service` is "S3", "FTP", "this app" or "the request"; `message` is one sentence that says which
    bucket or host and what happened; `hint` says what to check. None of them holds a secret.
    """

    def __init__(self, service: str, message: str, hint: str) -> None:
        super().__init__(f"{message} {hint}")
        self.service = service
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type[StorageError], tuple[str, str, str]]:
        return type(self), (self.service, self.message, self.hint)
