"""HTTP basic authentication that keeps its secret out of logs, reprs and tracebacks."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Generator

import httpx


class Credentials(httpx.Auth):
    """Signs requests in as `username` (an account SID or an API key's SID) with `password`.

    https://www.twilio.com/docs/iam/api/authentication
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
        """Give `text` without the secret, in case a server or proxy on the way echoed it."""
        return text.replace(self._password, "***").replace(self._encoded, "***")
