"""Let only this app's own pages open a session or change something, not those of other sites.

A browser lets any page open a WebSocket to any address, this machine's included, and names the
page's origin in the handshake. https://datatracker.ietf.org/doc/html/rfc6455#section-10.2
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from access.actor import on_connect
from alerts.log_lines import LimitedLog, quoted
from dashboard.hosting import under_shiny_server

log = LimitedLog(__name__)

READING_METHODS = {"GET", "HEAD", "OPTIONS"}
CONNECT_BASE_URL = b"rstudio-connect-app-base-url"
# No page can add these to a WebSocket's handshake, so a proxy did. To other requests a page can add
# them only where it counts as the same site, and without a session there is nothing that it could
# change.
PROXY_HEADERS = {
    b"forwarded",
    b"via",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-proto",
    b"x-real-ip",
}
POLICY_VIOLATION = 1008


class OwnPagesOnly:
    """ASGI middleware that refuses what comes from pages of other sites.

    Twilio's requests name no origin and pass; their routes check its signature.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)
        self._hosts = frozenset(urlsplit(origin).netloc for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse one request. https://asgi.readthedocs.io/en/latest/specs/www.html"""
        problem = self._problem(scope) if scope["type"] in {"http", "websocket"} else ""
        if not problem:
            await self._app(scope, receive, send)
            return
        log.warning(problem)
        if scope["type"] == "websocket":
            # Before the handshake is answered, servers turn this into 403.
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        else:
            await PlainTextResponse(problem, 403)(scope, receive, send)

    def _problem(self, scope: Scope) -> str:
        """Return a sentence that says why a request is refused, or ""."""
        headers = _headers(scope)
        host = headers.get(b"host", "").lower()
        if self._is_name_made_up(scope, headers, host):
            return (
                f"Refused a request for {quoted(host)}, which isn't known as a name of this "
                f"machine. If it is this app's address, add its origin to ALLOWED_ORIGINS."
            )
        is_session = scope["type"] == "websocket"
        if not is_session and scope["method"] in READING_METHODS:
            return ""
        origin = headers.get(b"origin")
        if origin is None:
            if not is_session or _needs_no_origin(scope):
                return ""
            return (
                "Refused a session without an Origin header. Browsers send one, so if this was a "
                "browser, let the proxy pass the header on."
            )
        if origin in self._origins or _is_same(origin, host, headers):
            return ""
        return (
            f"Refused a page of {quoted(origin)}, because this app was reached as {quoted(host)}. "
            "If it is this app's own page, add that origin to ALLOWED_ORIGINS, or let the proxy "
            "pass the Host header on."
        )

    def _is_name_made_up(self, scope: Scope, headers: dict[bytes, str], host: str) -> bool:
        """Return whether a browser was led here by a name that points to this machine.

        The owner of a name can let it point to 127.0.0.1. To the browser their page and this app
        are then one site. https://owasp.org/www-community/attacks/DNS_Rebinding
        """
        server = scope.get("server")
        if server is None or not _is_loopback(server[0]):
            return False
        name, port = _split(host)
        if _is_loopback(name) or host in self._hosts:
            return False
        # A browser names the port that it connects to, so another one must be a proxy's.
        if port != server[1] or not PROXY_HEADERS.isdisjoint(headers):
            return False
        return not (under_shiny_server() or on_connect())


def _headers(scope: Scope) -> dict[bytes, str]:
    """Return the headers by name; browsers and proxies send each only once."""
    return {name: value.decode("latin-1") for name, value in scope["headers"]}


def _is_same(origin: str, host: str, headers: dict[bytes, str]) -> bool:
    """Return whether the origin is the address that the browser reached this app at.

    That is the Host, or what a proxy says it was.
    """
    scheme, _, own = origin.partition("://")
    if scheme not in {"http", "https"}:
        return False
    usual_port = ":443" if scheme == "https" else ":80"
    reached = [host, *headers.get(b"x-forwarded-host", "").lower().split(",")]
    if on_connect():
        reached.append(urlsplit(headers.get(CONNECT_BASE_URL, "").lower()).netloc)
    return own in {each.strip().removesuffix(usual_port) for each in reached} - {""}


def _needs_no_origin(scope: Scope) -> bool:
    """Return whether no browser, or only Shiny Server or Connect, can be behind a session.

    Both hosts drop the header, and decide themselves whom they let in.
    """
    return under_shiny_server() or on_connect() or is_from_this_machine(scope)


def is_from_this_machine(scope: Scope) -> bool:
    """Return whether a request comes from this machine itself, and through no proxy.

    A proxy on this machine shows by the Host or by a header that it adds.
    """
    headers = _headers(scope)
    server, client = scope.get("server"), scope.get("client")
    return (
        server is not None
        and client is not None
        and _is_loopback(server[0])
        and _is_loopback(client[0])
        and _is_loopback(_split(headers.get(b"host", "").lower())[0])
        and PROXY_HEADERS.isdisjoint(headers)
        and not (under_shiny_server() or on_connect())
    )


def _split(host: str) -> tuple[str, int]:
    """Return the name and port in a Host header: 80 if it names none, -1 if it isn't one."""
    try:
        parts = urlsplit(f"//{host}")
        return parts.hostname or "", 80 if parts.port is None else parts.port
    except ValueError:
        return "", -1


def _is_loopback(name: str) -> bool:
    """Return whether a name or address is this machine's own to every browser."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback
