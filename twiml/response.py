"""Response: a whole TwiML document. https://www.twilio.com/docs/voice/twiml"""

from dataclasses import dataclass
from typing import Self

from twiml.element import Container, TwimlError, render
from twiml.messaging import Message
from twiml.parse import MAX_BYTES, parse
from twiml.voice import Dial, Gather, Hangup, Pause, Play, Record, Redirect, Reject, Say

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
VOICE_VERBS = ("Say", "Play", "Pause", "Gather", "Dial", "Record", "Reject", "Hangup")

Verb = Say | Play | Pause | Gather | Dial | Record | Redirect | Reject | Hangup | Message


@dataclass(frozen=True, repr=False)
class Response(Container):
    """A document whose verbs Twilio carries out one after another."""

    tag = "Response"
    child_tags = (*VOICE_VERBS, "Redirect", "Message")
    allows_text = False

    def __init__(self, *children: Verb) -> None:
        self._build(locals())

    def _check(self) -> None:
        tags = {child.tag for child in self.children if not isinstance(child, str)}
        if "Message" in tags and (spoken := tags.intersection(VOICE_VERBS)):
            raise TwimlError(
                f"Response takes Message for a text or {min(spoken)} for a call, not both."
            )

    def to_xml(self, indent: bool = False) -> str:
        """Return the document as XML.

        With `indent` it is for people: one verb per line, no declaration, and no added space in
        what is spoken. Raise TwimlError beyond the 64 kB that Twilio reads (error 11750).
        """
        if indent:
            return render(self, newline="\n")
        xml = DECLARATION + render(self)
        if (size := len(xml.encode())) > MAX_BYTES:
            raise TwimlError(f"Twilio reads at most {MAX_BYTES:,} bytes; this has {size:,}.")
        return xml

    @classmethod
    def parse(cls, xml: str | bytes) -> Self:
        """Read a document from XML; it equals the one that was written.

        Raise TwimlError, one sentence, for anything that this package does not know as TwiML.
        """
        document = parse(xml)
        if not isinstance(document, cls):
            raise TwimlError(f"A TwiML document is a Response, not {document.tag}.")
        return document
