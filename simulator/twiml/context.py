"""The surroundings a verb acts in, and how it reads its attributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import urljoin

from simulator.errors import TwimlError
from simulator.models.call import Call
from simulator.models.people import Person
from simulator.models.webhooks import Instructions
from simulator.twiml.document import Document, Verb

if TYPE_CHECKING:  # the exchange runs what runs the verbs
    from simulator.exchange import Exchange

Outcome = Instructions | Literal["hangup"] | None
"""What follows a verb: other instructions, the end of the call, or simply the next verb."""


@dataclass(frozen=True)
class Scene:
    """The call, who listens, the document being followed, and the exchange it all happens in."""

    call: Call
    person: Person
    document: Document
    exchange: Exchange


def absolute_url(reference: str, document: Document) -> str:
    """`reference` as seen from `document`; empty means the document itself. Raises TwimlError."""
    if document.url is None and "://" not in reference:
        raise TwimlError(11100, f"{reference!r} needs a document with an address to start from.")
    try:
        return urljoin(document.url or "", reference)
    except ValueError:
        raise TwimlError(11100, f"{reference!r} isn't a web address.", document.url) from None


def method_of(verb: Verb, attribute: str, code: int, scene: Scene) -> str:
    """`GET` or `POST`, which is also what Twilio falls back to."""
    method = (verb.get(attribute) or "POST").upper()
    if method in {"GET", "POST"}:
        return method
    scene.call.warn(code, f"{verb.name} {attribute} must be GET or POST, not {method!r}.")
    return "POST"


def whole_number(verb: Verb, attribute: str, default: int, code: int, scene: Scene) -> int:
    """An attribute that counts something; anything else becomes the default, with a warning."""
    text = verb.get(attribute)
    if text is None:
        return default
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return int(text)
    scene.call.warn(code, f"{verb.name} {attribute} must be a whole number, not {text!r}.")
    return default
