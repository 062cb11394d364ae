"""TwiML documents: fetched the way Twilio fetches them, and read safely.

https://www.twilio.com/docs/voice/twiml#twilios-request-to-your-application
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError

import httpx
from defusedxml.ElementTree import fromstring

from simulator.errors import TwimlError
from simulator.http_client import WebhookClient
from simulator.models.webhooks import Parameters

LARGEST_DOCUMENT_BYTES = 64 * 1024


@dataclass(frozen=True)
class Verb:
    """One TwiML element: its name, attributes, all text in it, and the elements right in it."""

    name: str
    attributes: tuple[tuple[str, str], ...] = ()
    text: str = ""
    children: tuple[Verb, ...] = ()

    def get(self, attribute: str) -> str | None:
        """Return the value of an attribute, or None."""
        return dict(self.attributes).get(attribute)


@dataclass(frozen=True)
class Document:
    """The verbs of a `<Response>` in order, and where they came from (None: the request)."""

    verbs: tuple[Verb, ...]
    url: str | None = None
    method: str = "POST"


def parse_twiml(xml: bytes, url: str | None = None, method: str = "POST") -> Document:
    """Parse a document without its entities or document type, fetching nothing from outside.

    Raises TwimlError 12100 for anything that isn't TwiML.
    """
    try:
        root = fromstring(xml, forbid_dtd=True)
    except (ParseError, ValueError, LookupError) as error:
        # defusedxml refuses with a ValueError; an unknown encoding is a LookupError.
        raise TwimlError(12100, f"Document parse failure: {error}", url) from error
    if root.tag != "Response":
        raise TwimlError(12100, f"The root element must be Response, not {root.tag}.", url)
    return Document(tuple(_read_verb(element) for element in root), url, method)


async def fetch_document(
    client: WebhookClient, account_sid: str, url: str, method: str, parameters: Parameters
) -> Document:
    """Fetch the document at `url` on behalf of an account.

    Raises TwimlError: what WebhookClient raises; 11200 the answer isn't a document; 11750 too
    large; 12100 not XML; 12300 a content type that Twilio can't use.
    """
    async with client.request(account_sid, url, method, parameters) as response:
        return await _read(response, url, method)


async def _read(response: httpx.Response, url: str, method: str) -> Document:
    if not response.is_success:
        raise TwimlError(11200, f"The server answered with status {response.status_code}.", url)
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type.startswith("audio/"):
        return Document((Verb("Play", text=url),), url, method)
    body = await _read_body(response, url)
    if media_type in {"text/xml", "application/xml", "text/html"}:
        return parse_twiml(body, url, method)
    if media_type == "text/plain":
        text = body.decode(response.charset_encoding or "utf-8", errors="replace")
        return Document((Verb("Say", text=text.strip()),), url, method)
    raise TwimlError(12300, f"Twilio can't use the content type {media_type or 'none'!r}.", url)


async def _read_body(response: httpx.Response, url: str) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > LARGEST_DOCUMENT_BYTES:
            raise TwimlError(11750, "The document is larger than 64 kB.", url)
    return bytes(body)


def _read_verb(element: Element) -> Verb:
    return Verb(
        name=element.tag,
        attributes=tuple(element.attrib.items()),
        text="".join(element.itertext()).strip(),
        # Verbs nest two deep at most. Deeper elements are speech markup and count as text.
        children=tuple(
            Verb(child.tag, tuple(child.attrib.items()), "".join(child.itertext()).strip())
            for child in element
        ),
    )
