"""The warm connections to Twilio: one httpx client per event loop, made at its first request."""

from __future__ import annotations

import asyncio
from urllib.request import getproxies, proxy_bypass

import httpx

from twilio_client.credentials import Credentials
from twilio_client.parameters import Fields

MOST_IN_FLIGHT = 200
CONNECT_SECONDS = 10.0
# For a free connection, the look-up of the name, connecting and TLS together.
WAIT_SECONDS = 30.0


class Connections:
    """Sends requests under one address, over connections that stay open in between.

    A connection belongs to the event loop it was opened in; a request from another loop gets
    connections of its own. A `transport` given by the caller is used in every loop, and is the
    caller's to close.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        transport: httpx.AsyncBaseTransport | None,
        timeout: float,
    ) -> None:
        self._base_url = base_url
        self._credentials = credentials
        self._transport = transport
        self._timeout = timeout
        self._clients: dict[asyncio.AbstractEventLoop, httpx.AsyncClient] = {}

    async def send(
        self,
        method: str,
        path: str,
        *,
        form: Fields | None = None,
        query: Fields | None = None,
    ) -> httpx.Response:
        """Send one request once and give the whole answer, whatever its status.

        Raises httpx.HTTPError, or TimeoutError if the answer took too long in all.
        """
        client = await self._client()
        request = client.build_request(method, self._base_url + path, data=form, params=query)
        # The read time-out alone would wait forever for an answer that comes byte by byte.
        async with asyncio.timeout(WAIT_SECONDS + self._timeout):
            return await client.send(request)

    async def close(self) -> None:
        """Close the connections of this event loop. A later request opens new ones."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await self._close(client)
        await self._forget_closed_loops()

    async def _client(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            self._clients[loop] = httpx.AsyncClient(
                auth=self._credentials,
                timeout=httpx.Timeout(self._timeout, connect=CONNECT_SECONDS, pool=WAIT_SECONDS),
                transport=self._transport or _new_transport(self._base_url),
                headers={"Accept": "application/json"},
            )
            await self._forget_closed_loops()
        return self._clients[loop]

    async def _forget_closed_loops(self) -> None:
        for loop in [loop for loop in self._clients if loop.is_closed()]:
            await self._close(self._clients.pop(loop))

    async def _close(self, client: httpx.AsyncClient) -> None:
        if self._transport is None:
            await client.aclose()


def _new_transport(base_url: str) -> httpx.AsyncBaseTransport:
    # Takes 110 ms to import, which a cold start would pay before anybody places a call.
    from twilio_client.transport import Transport  # noqa: PLC0415

    return Transport(
        limits=httpx.Limits(max_connections=MOST_IN_FLIGHT, keepalive_expiry=30),
        proxy=_environment_proxy(httpx.URL(base_url)),
    )


def _environment_proxy(url: httpx.URL) -> httpx.Proxy | None:
    # httpx reads HTTPS_PROXY and NO_PROXY only for transports of its own making.
    proxies = getproxies()
    address = proxies.get(url.scheme) or proxies.get("all")
    if not address or proxy_bypass(url.host):
        return None
    scheme, _, rest = address.rpartition("://")
    if scheme not in {"", "http", "https"} or not rest:
        raise httpx.ProxyError("the proxy's address must begin with http://")
    return httpx.Proxy(address if scheme else f"http://{address}")
