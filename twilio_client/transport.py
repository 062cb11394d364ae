"""httpx over aiohttp: with 50 requests in flight, a tenth of the CPU that httpx's own pool takes.

A module of its own because only the first request imports it: importing aiohttp takes 110 ms.
"""

from __future__ import annotations

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

# aiohttp raises these before it writes the first byte of a request.
_NEVER_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
)


class Transport(AiohttpTransport):
    """Reports whether a request that failed was sent.

    Raise httpx.ConnectError if it was not, httpx.ReadTimeout or httpx.ReadError if it may have
    been. (The base class reports a connection dropped halfway as a connect timeout, and passes
    other aiohttp errors on unchanged.)
    """

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            response = await super().handle_async_request(request)
            # Read the whole body here, so that losing the connection halfway is handled below too.
            await response.aread()
        except (httpx.HTTPError, aiohttp.ClientError, OSError) as error:
            raise _translated(error) from error
        return response


def _translated(error: Exception) -> httpx.TransportError:
    original = error if error.__cause__ is None else error.__cause__
    if isinstance(original, _NEVER_SENT):
        return httpx.ConnectError(_reason(original))
    if isinstance(original, TimeoutError):
        return httpx.ReadTimeout("no answer in time")
    return httpx.ReadError("the connection was lost")


def _reason(error: Exception) -> str:
    # Not aiohttp's own text, which may contain the address of a proxy with its password.
    match error:
        case aiohttp.ClientConnectorDNSError():
            return "its name was not found"
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return "no secure connection could be made"
        case aiohttp.ConnectionTimeoutError():
            return "connecting took too long"
        case aiohttp.ClientHttpProxyError() | aiohttp.ClientProxyConnectionError():
            return "the proxy did not connect"
        case _:
            return "the connection was refused"
