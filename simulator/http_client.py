"""Requests to a customer's server, made the way Twilio makes them: signed, and tried twice.

https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides has the limits.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from urllib.parse import urlencode, urlsplit, urlunsplit

import httpx

from simulator.clock import Clock
from simulator.errors import TwimlError
from simulator.log import RequestLog
from simulator.models.webhooks import is_web_address
from simulator.outgoing_log import OutgoingLog
from simulator.signature import Signer

TIMEOUT_SECONDS = 15.0
CONNECT_SECONDS = 5.0
MOST_REDIRECTS = 10

Parameters = Sequence[tuple[str, str]]

_NO_CONNECTION = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)


class WebRequests:
    """Asks customers' servers; `transport` replaces the network where one is given."""

    def __init__(
        self,
        clock: Clock,
        signer: Signer,
        log: RequestLog,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.signer = signer
        self._log = log
        self._clock = clock
        self._transport = transport

    @asynccontextmanager
    async def ask(
        self, account_sid: str, url: str, method: str, parameters: Parameters
    ) -> AsyncIterator[httpx.Response]:
        """The answer of `url`, its body still unread, for a block that reads it.

        A POST carries `parameters` as a form, a GET in its query. Raises TwimlError, from reading
        the answer too: 11100 bad address, 11200 broken answer or none in time, 11205 no
        connection, 11215 too many redirects.
        """
        if not is_web_address(url):
            raise TwimlError(11100, "That isn't a web address.", url)
        try:
            with self._clock.errand():
                log = OutgoingLog(self._log, account_sid)
                async with (
                    asyncio.timeout(TIMEOUT_SECONDS),
                    self._client(account_sid, log) as client,
                ):
                    request = _build(client, url, method, parameters)
                    response = await _follow(client, log, request)
                    try:
                        yield response
                    finally:
                        await response.aclose()
        except TimeoutError as error:
            raise TwimlError(
                11200, f"The server took longer than {TIMEOUT_SECONDS:g} seconds.", url
            ) from error
        except httpx.TooManyRedirects as error:
            raise TwimlError(11215, f"More than {MOST_REDIRECTS} redirects.", url) from error
        except _NO_CONNECTION as error:
            raise TwimlError(
                11205, f"The server couldn't be reached ({type(error).__name__}).", url
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise TwimlError(
                11200,
                f"The server's answer broke off or was garbled ({type(error).__name__}).",
                url,
            ) from error

    def _client(self, account_sid: str, log: OutgoingLog) -> httpx.AsyncClient:
        async def sign(request: httpx.Request) -> None:
            await request.aread()
            self.signer.sign(account_sid, request)

        # A client for each request: there is no shutdown event in which to close a shared one.
        return httpx.AsyncClient(
            transport=None if self._transport is None else _Borrowed(self._transport),
            verify=_tls(),
            # httpx would read the whole body of each redirect, however long it is.
            follow_redirects=False,
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            headers={"User-Agent": "TwilioProxy/1.1", "Accept": "*/*"},
            # A hook sees each redirect too, whose address needs a signature of its own.
            event_hooks={"request": [sign], "response": [log.answered]},
        )


class _Borrowed(httpx.AsyncBaseTransport):
    """Somebody else's transport: used, but not closed along with the client."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._transport.handle_async_request(request)


@cache
def _tls() -> ssl.SSLContext:
    # Loading the certificates takes longer than the rest of a request.
    return httpx.create_ssl_context()


def _build(
    client: httpx.AsyncClient, url: str, method: str, parameters: Parameters
) -> httpx.Request:
    if method == "GET":
        return client.build_request("GET", with_query(url, parameters))
    return client.build_request("POST", url, data=dict(parameters))


async def _follow(
    client: httpx.AsyncClient, log: OutgoingLog, request: httpx.Request
) -> httpx.Response:
    """The answer at the end of the redirects, none of whose bodies is read."""
    for _ in range(MOST_REDIRECTS + 1):
        response = await _send(client, log, request)
        if response.next_request is None:
            return response
        await response.aclose()
        request = response.next_request
    raise httpx.TooManyRedirects("One redirect led to the next.", request=request)


async def _send(
    client: httpx.AsyncClient, log: OutgoingLog, request: httpx.Request
) -> httpx.Response:
    try:
        return await _send_once(client, log, request)
    except _NO_CONNECTION:
        # Twilio tries once more by itself where no connection came about, and only there.
        return await _send_once(client, log, request)


async def _send_once(
    client: httpx.AsyncClient, log: OutgoingLog, request: httpx.Request
) -> httpx.Response:
    is_answered = False
    try:
        response = await client.send(request, stream=True)
        is_answered = True
    finally:
        if not is_answered:
            log.write(request)
    return response


def with_query(url: str, parameters: Parameters) -> str:
    """`url` with `parameters` after those it has, as Twilio does for GET."""
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, urlencode(parameters)) if part)
    return urlunsplit(parts._replace(query=query))
