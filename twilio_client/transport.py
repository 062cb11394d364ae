"""The wire: httpx over aiohttp, which costs a tenth of the CPU of httpx's own pool at 50 in flight.

Imported only by the first request: aiohttp alone takes 110 ms to import.
"""

from __future__ import annotations

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

# All of these are raised before the first byte of a request is written.
_NEVER_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
)


class Transport(AiohttpTransport):
    """aiohttp's connections, with its errors told apart by whether the request was sent.

    Raises httpx.ConnectError if it was not, httpx.ReadTimeout or httpx.ReadError if it may have
    been. (The base class reports a connection dropped half-way as a connect time-out, and lets
    other aiohttp errors through as they are.)
    """

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            response = await super().handle_async_request(request)
            # Read here, as a whole, so that an answer that breaks off is told like the rest.
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
    return httpx.ReadError("the connection broke off")


def _reason(error: Exception) -> str:
    # aiohttp's own text is left out: it may hold the address of a proxy with its password.
    match error:
        case aiohttp.ClientConnectorDNSError():
            return "its name was not found"
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return "no secure connection came about"
        case aiohttp.ConnectionTimeoutError():
            return "connecting took too long"
        case aiohttp.ClientHttpProxyError() | aiohttp.ClientProxyConnectionError():
            return "the proxy did not connect"
        case _:
            return "the connection was refused"
