"""TwiML documents, read safely: no entities, no document types, nothing fetched from outside.

https://www.twilio.com/docs/voice/twiml
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError

from defusedxml.ElementTree import fromstring

from simulator.errors import TwimlError


@dataclass(frozen=True)
class Verb:
    """One TwiML element: its name, attributes, all text in it, and the elements right in it."""

    name: str
    attributes: tuple[tuple[str, str], ...] = ()
    text: str = ""
    children: tuple[Verb, ...] = ()

    def get(self, attribute: str) -> str | None:
        """The value of an attribute, or None."""
        return dict(self.attributes).get(attribute)


@dataclass(frozen=True)
class Document:
    """The verbs of a `<Response>` in order, and where they came from (None: the request)."""

    verbs: tuple[Verb, ...]
    url: str | None = None
    method: str = "POST"


def parse_twiml(xml: bytes, url: str | None = None, method: str = "POST") -> Document:
    """The document in `xml`. Raises TwimlError 12100 for anything that isn't one."""
    try:
        root = fromstring(xml, forbid_dtd=True)
    except (ParseError, ValueError, LookupError) as error:
        # defusedxml's refusals are ValueErrors; an unknown encoding is a LookupError.
        raise TwimlError(12100, f"Document parse failure: {error}", url) from error
    if root.tag != "Response":
        raise TwimlError(12100, f"The root element must be Response, not {root.tag}.", url)
    return Document(tuple(_read_verb(element) for element in root), url, method)


def _read_verb(element: Element) -> Verb:
    return Verb(
        name=element.tag,
        attributes=tuple(element.attrib.items()),
        text="".join(element.itertext()).strip(),
        # Verbs nest two deep at most; deeper elements are speech markup and count as text.
        children=tuple(
            Verb(child.tag, tuple(child.attrib.items()), "".join(child.itertext()).strip())
            for child in element
        ),
    )
