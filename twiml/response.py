"""Response: a whole TwiML document. https://www.twilio.com/docs/voice/twiml"""

from dataclasses import dataclass
from typing import Self

from twiml.container import Container
from twiml.dial import Dial
from twiml.errors import TwimlError
from twiml.gather import Gather
from twiml.messaging import Message
from twiml.parse import MAX_BYTES, parse
from twiml.render import render
from twiml.say import Say
from twiml.voice import Hangup, Pause, Play, Record, Redirect, Reject

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
VOICE_VERBS = ("Say", "Play", "Pause", "Gather", "Dial", "Record", "Reject", "Hangup")

Verb = Say | Play | Pause | Gather | Dial | Record | Redirect | Reject | Hangup | Message


@dataclass(frozen=True, repr=False)
class Response(Container):
    """A document that Twilio follows from its first verb to its last."""

    tag = "Response"
    holds = (*VOICE_VERBS, "Redirect", "Message")
    text = False

    def __init__(self, *children: Verb) -> None:
        self._build(locals())

    def _check(self) -> None:
        tags = {child.tag for child in self.children if not isinstance(child, str)}
        if "Message" in tags and (spoken := tags.intersection(VOICE_VERBS)):
            raise TwimlError(
                f"Response holds Message for a text or {min(spoken)} for a call, not both."
            )

    def to_xml(self, indent: bool = False) -> str:
        """The document as XML.

        `indent` is for people: one verb a line, no declaration, and not a space more in what is
        spoken. Raises TwimlError if it is over the 64 kB that Twilio reads (error 11750).
        """
        if indent:
            return render(self, line="\n")
        xml = DECLARATION + render(self)
        if (size := len(xml.encode())) > MAX_BYTES:
            raise TwimlError(f"Twilio reads at most {MAX_BYTES:,} bytes; this has {size:,}.")
        return xml

    @classmethod
    def parse(cls, xml: str | bytes) -> Self:
        """The document that `xml` holds, equal to the one it was written from.

        Raises TwimlError, in one sentence, for anything that is not TwiML of this package.
        """
        document = parse(xml)
        if not isinstance(document, cls):
            raise TwimlError(f"A TwiML document is a Response, not {document.tag}.")
        return document
