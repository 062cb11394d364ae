"""What every storage has in common: its methods, the instructions it returns, and its error."""

from __future__ import annotations

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
        """Release connections and threads without waiting for running uploads."""
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
