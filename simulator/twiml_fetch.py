"""Fetching TwiML the way Twilio does.

https://www.twilio.com/docs/voice/twiml#twilios-request-to-your-application
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from urllib.parse import urlencode, urlsplit, urlunsplit

import httpx

from simulator.errors import TwimlError
from simulator.instructions import is_web_address
from simulator.twiml_document import Document, Verb, parse_twiml

TIMEOUT_SECONDS = 15.0
CONNECT_SECONDS = 5.0
LARGEST_DOCUMENT = 64 * 1024
MOST_REDIRECTS = 10

Parameters = Sequence[tuple[str, str]]


class TwimlFetcher:
    """Gets documents over HTTP; `transport` replaces the network where one is given."""

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._transport = transport

    async def fetch(self, url: str, method: str, parameters: Parameters) -> Document:
        """The document at `url`. A POST carries `parameters` as a form, a GET in its query.

        Raises TwimlError: 11100 bad address, 11200 an answer that isn't one, 11205 no connection,
        11215 too many redirects, 11750 too large, 12100 not XML, 12300 a type Twilio can't use.
        """
        if not is_web_address(url):
            raise TwimlError(11100, "The address of the document isn't a web address.", url)
        try:
            async with (
                asyncio.timeout(TIMEOUT_SECONDS),
                self._client() as client,
                _request(client, url, method, parameters) as response,
            ):
                return await _read(response, url, method)
        except TimeoutError as error:
            raise TwimlError(
                11200, f"The server took longer than {TIMEOUT_SECONDS:g} seconds.", url
            ) from error
        except httpx.TooManyRedirects as error:
            raise TwimlError(11215, f"More than {MOST_REDIRECTS} redirects.", url) from error
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
            raise TwimlError(
                11205, f"The server couldn't be reached ({type(error).__name__}).", url
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise TwimlError(
                11200,
                f"The server's answer broke off or was garbled ({type(error).__name__}).",
                url,
            ) from error

    def _client(self) -> httpx.AsyncClient:
        # A client for each fetch: there is no shutdown event in which to close a shared one.
        return httpx.AsyncClient(
            transport=None if self._transport is None else _Borrowed(self._transport),
            verify=_tls(),
            follow_redirects=True,
            max_redirects=MOST_REDIRECTS,
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            headers={"User-Agent": "TwilioProxy/1.1", "Accept": "*/*"},
        )


class _Borrowed(httpx.AsyncBaseTransport):
    """Somebody else's transport: used, but not closed along with the client."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._transport.handle_async_request(request)


@cache
def _tls() -> ssl.SSLContext:
    # Loading the certificates takes longer than the rest of a fetch.
    return httpx.create_ssl_context()


@asynccontextmanager
async def _request(
    client: httpx.AsyncClient, url: str, method: str, parameters: Parameters
) -> AsyncIterator[httpx.Response]:
    if method == "GET":
        async with client.stream("GET", with_query(url, parameters)) as response:
            yield response
    else:
        async with client.stream("POST", url, data=dict(parameters)) as response:
            yield response


def with_query(url: str, parameters: Parameters) -> str:
    """`url` with `parameters` after those it has, as Twilio does for GET."""
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, urlencode(parameters)) if part)
    return urlunsplit(parts._replace(query=query))


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
