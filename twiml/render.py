"""Elements to XML, through xmltodict.

xmltodict groups equal tags, so that Say, Pause, Say would lose its order. It therefore writes one
tag with its attributes at a time, and the order of what stands inside is kept here.
"""

from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape

import xmltodict

from twiml.container import Container
from twiml.element import Element


def render(element: Element, line: str = "") -> str:
    """`element` as XML.

    `line` is what to put before each nested verb: nothing, or a line break with the indentation
    of `element` itself. Speech is never broken into lines: Twilio would speak or send the spaces.
    """
    start = start_tag(element.tag, element.attributes)
    if not element.inner:
        return f"{start}/>"
    indented = line and f"{line}  " if lines_of_its_own(element) else ""
    inner = "".join(
        indented + (escape(part) if isinstance(part, str) else render(part, indented))
        for part in element.inner
    )
    return f"{start}>{inner}{line if indented else ''}</{element.tag}>"


@lru_cache(maxsize=256)
def start_tag(tag: str, attributes: tuple[tuple[str, Any], ...]) -> str:
    """The start tag, less its final `>`.

    Remembered, since a broadcast writes the same few tags thousands of times over.
    """
    named = {f"@{name}": value for name, value in attributes}
    return xmltodict.unparse({tag: named}, full_document=False, short_empty_elements=True)[:-2]


def lines_of_its_own(element: Element) -> bool:
    """Whether what `element` holds may stand on lines of its own."""
    if not isinstance(element, Container) or element.speech:
        return False
    return all(isinstance(child, Element) for child in element.children)
