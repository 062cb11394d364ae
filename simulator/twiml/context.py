"""What a verb has to work with: the call, the document, and a small view of the exchange."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol
from urllib.parse import urljoin

from simulator.errors import TwimlError
from simulator.models.call import Call, CallRequest
from simulator.models.people import Person
from simulator.models.recording import Recording
from simulator.models.webhooks import Callback, Instructions, Parameters
from simulator.twiml.document import Document, Verb
from simulator.untrusted_text import flag, whole_number

NextStep = Instructions | Literal["hangup"] | None
"""What follows a verb: other instructions, the end of the call, or (None) the next verb."""


class CallControl(Protocol):
    """What following TwiML needs from the exchange. Verbs know nothing else of it."""

    async def fetch_document(
        self, call: Call, url: str, method: str, parameters: Parameters
    ) -> Document:
        """Return the TwiML at `url`. Raises TwimlError."""

    def may_call_from(self, account_sid: str, number: str) -> bool:
        """Whether calls of the account may show `number` (E.164) as their caller ID."""

    def dial(self, parent: Call, request: CallRequest) -> Call:
        """Place the second call of a Dial in `parent`."""

    def hang_up(self, call: Call, because: str) -> None:
        """End a call; `because` is a sentence for its transcript."""

    def send_callback(self, call: Call, callback: Callback, parameters: Parameters) -> None:
        """Report to `callback` in the background."""

    def add_recording(self, recording: Recording) -> None:
        """Keep a recording, which can be fetched from now on."""


@dataclass(frozen=True)
class VerbContext:
    """The call, the person who listens, the document being followed, and control of calls."""

    call: Call
    person: Person
    document: Document
    control: CallControl


def absolute_url(reference: str, document: Document) -> str:
    """Resolve `reference` against the document's address; empty means the document itself.

    Raises TwimlError 11100.
    """
    if document.url is None and "://" not in reference:
        raise TwimlError(11100, f"{reference!r} needs a document with an address to start from.")
    try:
        return urljoin(document.url or "", reference)
    except ValueError:
        raise TwimlError(11100, f"{reference!r} isn't a web address.", document.url) from None


def read_method(verb: Verb, attribute: str, code: int, context: VerbContext) -> str:
    """Read `GET` or `POST`; anything else is a warning with Twilio's `code`, and means POST."""
    method = (verb.get(attribute) or "POST").upper()
    if method in {"GET", "POST"}:
        return method
    context.call.warn(code, f"{verb.name} {attribute} must be GET or POST, not {method!r}.")
    return "POST"


def read_whole_number(
    verb: Verb, attribute: str, default: int, code: int, context: VerbContext
) -> int:
    """Read a whole number; anything else is a warning with Twilio's `code`, and the default."""
    text = verb.get(attribute)
    if text is None:
        return default
    number = whole_number(text)
    if number is None:
        context.call.warn(code, f"{verb.name} {attribute} must be a whole number, not {text!r}.")
        return default
    return number


def read_flag(verb: Verb, attribute: str, default: bool = False) -> bool:
    """Read a truth value, which XML also writes as 1 or 0; anything else is the default."""
    value = flag(verb.get(attribute) or "")
    return default if value is None else value
