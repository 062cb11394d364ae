"""Connections to Twilio: kept open between requests, and signed in without showing the secret."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Generator
from functools import lru_cache

import httpx

# The fields of a form or a query; one with several values is repeated.
Fields = dict[str, list[str]]
CONNECT_SECONDS = 10.0
# Waiting for a free connection, looking up the name, connecting and TLS, all together.
WAIT_SECONDS = 30.0


class Credentials(httpx.Auth):
    """HTTP basic authentication that keeps the password out of logs, reprs and tracebacks.

    `username` is an account SID or an API key's SID. https://www.twilio.com/docs/iam/api/authentication
    """

    def __init__(self, username: str, password: str) -> None:
        self.username = username
        self._password = password
        pair = f"{username}:{password}".encode("utf-8", "surrogatepass")
        self._encoded = b64encode(pair).decode()

    def __repr__(self) -> str:
        return f"Credentials({self.username!r}, '***')"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Basic {self._encoded}"
        yield request

    def mask(self, text: str) -> str:
        """Return `text` without the password, in case a server or proxy echoed it."""
        return text.replace(self._password, "***").replace(self._encoded, "***")


class Connections:
    """Sends requests to one address over connections that stay open.

    Each event loop gets its own httpx client at its first request, because a connection belongs to
    the loop that opened it. A `transport` from the caller is used in every loop and never closed.
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
        host: str = "api",
    ) -> httpx.Response:
        """Send a request, exactly once, and return the whole answer, whatever its status.

        `host` is the first part of Twilio's host name, such as `messaging` for
        messaging.twilio.com. Another server's address is the same for all.

        Raise httpx.ConnectError if nothing was sent, another httpx.HTTPError if it may have been,
        or TimeoutError if the whole exchange took too long.
        """
        try:
            client = await self._client()
            url = _url(self._address(host) + path)
            request = client.build_request(method, url, data=form, params=query)
        except httpx.ConnectError:
            raise
        except Exception as error:
            name = type(error).__name__
            raise httpx.ConnectError(f"the request could not be made: {name}") from error
        # httpx's read time-out starts again with every byte; this one covers the whole answer.
        async with asyncio.timeout(WAIT_SECONDS + self._timeout):
            return await client.send(request)

    def _address(self, host: str) -> str:
        if host == "api":
            return self._base_url
        name = httpx.URL(self._base_url).host
        if not (name.startswith("api.") and name.endswith(".twilio.com")):
            return self._base_url
        return self._base_url.replace("://api.", f"://{host}.", 1)

    async def close(self) -> None:
        """Close this event loop's connections. A later request opens new ones."""
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
                transport=self._transport or network_transport(),
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


# Most requests go to the same few addresses, and parsing one takes as long as preparing the rest of
# the request.
@lru_cache(maxsize=256)
def _url(address: str) -> httpx.URL:
    return httpx.URL(address)


def network_transport() -> httpx.AsyncBaseTransport:
    """Return a transport for httpx that reads proxies and certificates as every request here does.

    Raise httpx.ConnectError if the environment's certificates can't be used. Requests through it
    raise only httpx.HTTPError, in words that hold no password of a proxy.
    """
    # Importing aiohttp takes 110 ms, which the start of an app should not wait for.
    from twilio_client.transport import Transport  # noqa: PLC0415

    return Transport()
