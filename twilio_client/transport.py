"""httpx over aiohttp: with 50 requests in flight, a tenth of the CPU that httpx's own pool takes.

A module of its own because only the first request imports it: importing aiohttp takes 110 ms.
"""

from __future__ import annotations

import errno
import os
from contextvars import ContextVar

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from twilio_client.environment import EnvironmentProblem, proxy_for, tls_context

MAX_CONNECTIONS = 200
KEEP_ALIVE_SECONDS = 30

# Whether the request under way may have begun to leave this machine: a list that is then not empty.
_begun: ContextVar[list[bool]] = ContextVar("begun")


class Transport(AiohttpTransport):
    """Makes requests through the environment's proxies, and reports whether a failed one was sent.

    Raise httpx.ConnectError if it was not, httpx.ReadTimeout or httpx.ReadError if it may have
    been. (The base class reports a connection dropped halfway as a connect timeout, and passes
    other errors on unchanged.)
    """

    def __init__(self) -> None:
        """Raise `EnvironmentProblem` if the environment's certificates can't be used."""
        limits = httpx.Limits(max_connections=MAX_CONNECTIONS, keepalive_expiry=KEEP_ALIVE_SECONDS)
        super().__init__(verify=tls_context(), limits=limits)
        self._proxies: dict[bytes, httpx.Proxy | None] = {}

    def get_client(self) -> aiohttp.ClientSession:
        """Open a session that notes when a request begins to be written."""
        session = super().get_client()
        session.trace_configs.append(_noting_what_is_sent())
        return session

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        begun: list[bool] = []
        _begun.set(begun)
        try:
            # The base class reads this before it waits for anything, so requests to other hosts
            # that are made meanwhile don't change it.
            self.proxy = self._proxy_for(request.url)
            response = await super().handle_async_request(request)
            # Read the whole body here, so that losing the connection halfway is handled below too.
            await response.aread()
        except EnvironmentProblem:
            raise
        except Exception as error:
            # The base class wraps most of aiohttp's errors in httpx's.
            wrapped = isinstance(error, httpx.HTTPError) and error.__cause__
            original = wrapped or error
            if not begun:
                raise httpx.ConnectError(_why_not_sent(original)) from error
            if isinstance(original, TimeoutError):
                raise httpx.ReadTimeout("no answer in time") from error
            if isinstance(original, httpx.HTTPError | aiohttp.ClientError | OSError):
                raise httpx.ReadError("the connection was lost") from error
            raise
        return response

    def _proxy_for(self, url: httpx.URL) -> httpx.Proxy | None:
        # Kept, because reading the environment takes longer than the rest of the preparation.
        origin = url.raw_scheme + b"://" + url.netloc
        if origin not in self._proxies:
            self._proxies[origin] = proxy_for(url)
        return self._proxies[origin]


def _noting_what_is_sent() -> aiohttp.TraceConfig:
    async def note(*_: object) -> None:
        _begun.get([]).append(True)

    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(note)
    trace.freeze()
    return trace


# aiohttp's own words may contain the address of a proxy with its password. The first that fits.
_WHY_NOT_SENT: tuple[tuple[type[BaseException], str], ...] = (
    (aiohttp.ClientConnectorDNSError, "its name was not found"),
    (aiohttp.ClientConnectorCertificateError, "no secure connection could be made"),
    (aiohttp.ClientConnectorSSLError, "no secure connection could be made"),
    (aiohttp.ClientHttpProxyError, "the proxy did not connect"),
    (aiohttp.ClientProxyConnectionError, "the proxy did not connect"),
    (TimeoutError, "connecting took too long"),
)


def _why_not_sent(error: BaseException) -> str:
    known = [words for kind, words in _WHY_NOT_SENT if isinstance(error, kind)]
    if known:
        return known[0]
    number = getattr(error, "errno", None)
    if number == errno.ECONNREFUSED:
        return "the connection was refused"
    if isinstance(number, int) and number in errno.errorcode:
        return os.strerror(number)
    if isinstance(error, aiohttp.ClientConnectionError):
        return "the connection was lost before anything was sent"
    return f"the request could not be made: {type(error).__name__}"
