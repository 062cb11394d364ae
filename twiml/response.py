"""Response: a whole TwiML document, written as XML and read from it.

defusedxml, which reads, refuses DTDs and entity bombs.
https://www.twilio.com/docs/voice/twiml
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self
from xml.etree.ElementTree import Element as XmlElement
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from twiml.element import (
    ELEMENTS,
    MAX_DEPTH,
    TOO_DEEP,
    Container,
    Element,
    TwimlError,
    render,
    shown,
)
from twiml.messaging import Message
from twiml.voice import Dial, Gather, Hangup, Pause, Play, Record, Redirect, Reject, Say

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
# https://www.twilio.com/docs/api/errors/11750
MAX_BYTES = 64 * 1024
XML_NAMESPACE = "{http://www.w3.org/XML/1998/namespace}"
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
        document = _read(xml)
        if not isinstance(document, cls):
            raise TwimlError(f"A TwiML document is a Response, not {document.tag}.")
        return document


def _read(xml: str | bytes) -> Element:
    """Return the element that `xml` describes; raise TwimlError if it is not TwiML."""
    size = len(xml if isinstance(xml, bytes) else xml.encode(errors="surrogatepass"))
    if size > MAX_BYTES:
        raise TwimlError(f"Twilio reads at most {MAX_BYTES:,} bytes; this has {size:,}.")
    try:
        root = fromstring(xml, forbid_dtd=True)
    except DefusedXmlException as error:
        raise TwimlError("TwiML has no DTD and no entities of its own.") from error
    # LookupError and ValueError: an unknown encoding, or one that doesn't fit the bytes.
    except (ParseError, LookupError, ValueError) as error:
        raise TwimlError(f"This is not well-formed XML: {error}.") from error
    return _element_from(root)


def _element_from(node: XmlElement, depth: int = 1) -> Element:
    if depth > MAX_DEPTH:
        raise TwimlError(TOO_DEEP)
    element_class = ELEMENTS.get(node.tag)
    if element_class is None:
        raise TwimlError(f"{shown(node.tag)} is not a TwiML element known here.")
    build: Callable[..., Element] = element_class
    attributes = _attributes_from(node, element_class)
    if issubclass(element_class, Container):
        children: list[str | Element] = [node.text or ""]
        for child in node:
            children += [_element_from(child, depth + 1), child.tail or ""]
        return build(*children, **attributes)
    if len(node):
        raise TwimlError(f"{element_class.tag} cannot contain {shown(node[0].tag)} or any element.")
    content = element_class.content
    if content:
        text = element_class.value_types[content].read(node.text or "")
        return build(**{content: text}, **attributes)
    if (node.text or "").strip():
        raise TwimlError(f"{element_class.tag} cannot contain text.")
    return build(**attributes)


def _attributes_from(node: XmlElement, element_class: type[Element]) -> dict[str, Any]:
    """Return the attributes of `node` by their Python names, as Python values."""
    fields = {xml: name for name, xml in element_class.attribute_names.items()}
    attributes = {}
    for attribute, text in node.items():
        name = fields.get(attribute.replace(XML_NAMESPACE, "xml:"))
        if name is None:
            raise TwimlError(f"{element_class.tag} has no attribute {shown(attribute)}.")
        attributes[name] = element_class.value_types[name].read(text)
    return attributes
