"""Fetching TwiML the way Twilio does.

https://www.twilio.com/docs/voice/twiml#twilios-request-to-your-application
"""

from __future__ import annotations

import httpx

from simulator.errors import TwimlError
from simulator.http_client import Parameters, WebRequests
from simulator.twiml.document import Document, Verb, parse_twiml

LARGEST_DOCUMENT = 64 * 1024


class TwimlFetcher:
    """Gets documents from customers' servers."""

    def __init__(self, web: WebRequests) -> None:
        self._web = web

    async def fetch(
        self, account_sid: str, url: str, method: str, parameters: Parameters
    ) -> Document:
        """The document at `url`, asked for on behalf of an account.

        Raises TwimlError: those of WebRequests, 11200 an answer that isn't a document, 11750 too
        large, 12100 not XML, 12300 a type that Twilio can't use.
        """
        async with self._web.ask(account_sid, url, method, parameters) as response:
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
        if len(body) > LARGEST_DOCUMENT:
            raise TwimlError(11750, "The document is larger than 64 kB.", url)
    return bytes(body)
