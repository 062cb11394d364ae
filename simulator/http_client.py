"""Requests to a customer's server, made the way Twilio makes them: signed, and tried twice.

https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides has the limits.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import httpx

from simulator.clock import Clock
from simulator.errors import TwimlError
from simulator.log import OutgoingLog, RequestLog
from simulator.models.webhooks import Parameters, is_web_address

TIMEOUT_SECONDS = 15.0
CONNECT_SECONDS = 5.0
MOST_REDIRECTS = 10
SIGNATURE_HEADER = "X-Twilio-Signature"

_NO_CONNECTION = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)


class Signer:
    """Signs requests with each account's auth token; `default_token` is for unknown accounts.

    https://www.twilio.com/docs/usage/security
    """

    def __init__(self, default_token: str) -> None:
        self._default_token = default_token
        self._tokens: dict[str, str] = {}

    def first_token(self, account_sid: str, token: str) -> str:
        """Return the account's token, which is `token` from now on if it had none."""
        return self._tokens.setdefault(account_sid, token)

    def has_token(self, account_sid: str) -> bool:
        """Whether the account's token is known."""
        return account_sid in self._tokens

    def sign(self, account_sid: str, request: httpx.Request) -> None:
        """Put the signature on `request`, whose body has been read."""
        # The server never sees a user, a password or a fragment.
        url = str(request.url.copy_with(userinfo=b"", fragment=None))
        form = parse_qsl(request.content.decode(), keep_blank_values=True)
        signed = url + "".join(name + value for name, value in sorted(form))
        token = self._tokens.get(account_sid, self._default_token)
        digest = hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()
        request.headers[SIGNATURE_HEADER] = base64.b64encode(digest).decode()


class WebhookClient:
    """Sends requests to customers' servers, through `transport` or else over the network."""

    def __init__(
        self,
        clock: Clock,
        signer: Signer,
        log: RequestLog,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._clock = clock
        self._signer = signer
        self._log = log
        self._transport = transport

    @asynccontextmanager
    async def request(
        self, account_sid: str, url: str, method: str, parameters: Parameters
    ) -> AsyncIterator[httpx.Response]:
        """Send one request, and open a block with the response, whose body is still unread.

        A POST carries `parameters` as a form, a GET in its query. Raises TwimlError, while the
        body is read too: 11100 bad address; 11200 broken response or none in time; 11205 no
        connection; 11215 too many redirects.
        """
        if not is_web_address(url):
            raise TwimlError(11100, "That isn't a web address.", url)
        try:
            with self._clock.request_under_way():
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
            self._signer.sign(account_sid, request)

        # A client for each request: there is no shutdown event in which to close a shared one.
        return httpx.AsyncClient(
            transport=None if self._transport is None else _KeptOpen(self._transport),
            verify=_tls(),
            # httpx would read the whole body of each redirect, however long it is.
            follow_redirects=False,
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            headers={"User-Agent": "TwilioProxy/1.1", "Accept": "*/*"},
            # Hooks run for each redirect too, whose address needs a signature of its own.
            event_hooks={"request": [sign], "response": [log.on_response]},
        )


class _KeptOpen(httpx.AsyncBaseTransport):
    """A transport that belongs to the caller: it isn't closed along with the client."""

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
        return client.build_request("GET", _with_query(url, parameters))
    return client.build_request("POST", url, data=dict(parameters))


def _with_query(url: str, parameters: Parameters) -> str:
    """Append `parameters` to the query that `url` has, as Twilio does for GET."""
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, urlencode(parameters)) if part)
    return urlunsplit(parts._replace(query=query))


async def _follow(
    client: httpx.AsyncClient, log: OutgoingLog, request: httpx.Request
) -> httpx.Response:
    """Return the response at the end of the redirects, none of whose bodies is read."""
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
        # Twilio itself tries again only where no connection came about, and once.
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
