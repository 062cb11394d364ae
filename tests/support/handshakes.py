"""Opening a session as a browser, a proxy or a program would: with any Host, Origin and headers."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect


def opens(
    url: str,
    *,
    host: str | None = None,
    origin: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> bool:
    """Whether the app at `url` lets a session begin; `host` and `origin` are what the page names.

    Without a `host`, the URL's own is sent; without an `origin`, none.
    """
    parts = urlsplit(url)
    to = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=20)
    address = f"ws://{host or parts.netloc}{parts.path.rstrip('/')}/websocket/"
    named = {} if origin is None else {"Origin": origin}
    try:
        with connect(address, sock=to, additional_headers={**named, **(headers or {})}) as session:
            return "sessionId" in str(session.recv(timeout=20))
    except InvalidStatus as refused:
        if refused.response.status_code != 403:
            raise
        return False
