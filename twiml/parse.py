"""XML to elements, safely: entity bombs, DTDs and anything outside TwiML are refused."""

from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element as XmlElement
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from twiml.container import MAX_DEPTH, TOO_DEEP, Container
from twiml.element import ELEMENTS, Element, shown
from twiml.errors import TwimlError

# https://www.twilio.com/docs/api/errors/11750
MAX_BYTES = 64 * 1024

XML_NAMESPACE = "{http://www.w3.org/XML/1998/namespace}"


def parse(xml: str | bytes) -> Element:
    """The element that `xml` holds. Raises TwimlError, in one sentence, if it is not TwiML."""
    size = len(xml if isinstance(xml, bytes) else xml.encode(errors="surrogatepass"))
    if size > MAX_BYTES:
        raise TwimlError(f"Twilio reads at most {MAX_BYTES:,} bytes; this has {size:,}.")
    try:
        root = fromstring(xml, forbid_dtd=True)
    except DefusedXmlException as error:
        raise TwimlError("TwiML holds no DTD and no entities of its own.") from error
    # LookupError and ValueError: an encoding that is unknown, or that does not fit the bytes.
    except (ParseError, LookupError, ValueError) as error:
        raise TwimlError(f"This is not well-formed XML: {error}.") from error
    return element_from(root)


def element_from(node: XmlElement, depth: int = 1) -> Element:
    """The element that `node` and all inside it stand for."""
    if depth > MAX_DEPTH:
        raise TwimlError(TOO_DEEP)
    kind = ELEMENTS.get(node.tag)
    if kind is None:
        raise TwimlError(f"{shown(node.tag)} is not a TwiML element known here.")
    build: Callable[..., Element] = kind
    attributes = attributes_from(node, kind)
    if issubclass(kind, Container):
        children: list[str | Element] = [node.text or ""]
        for child in node:
            children += [element_from(child, depth + 1), child.tail or ""]
        return build(*children, **attributes)
    if len(node):
        raise TwimlError(f"{kind.tag} cannot hold {shown(node[0].tag)}; nothing nests in it.")
    if kind.content:
        content = kind.kinds[kind.content].read(node.text or "")
        return build(**{kind.content: content}, **attributes)
    if (node.text or "").strip():
        raise TwimlError(f"{kind.tag} holds no text.")
    return build(**attributes)


def attributes_from(node: XmlElement, kind: type[Element]) -> dict[str, Any]:
    """The attributes of `node`, by their names in Python and as Python's values."""
    fields = {xml: name for name, xml in kind.attribute_names.items()}
    attributes = {}
    for attribute, text in node.items():
        name = fields.get(attribute.replace(XML_NAMESPACE, "xml:"))
        if name is None:
            raise TwimlError(f"{kind.tag} has no attribute {shown(attribute)}.")
        attributes[name] = kind.kinds[name].read(text)
    return attributes
