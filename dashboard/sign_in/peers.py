"""Which computer a request was really sent by: not the one that a header names."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from starlette.types import Receive, Scope

Network = IPv4Network | IPv6Network


def is_sent_by(scope: Scope, receive: Receive, networks: tuple[Network, ...]) -> bool:
    """Return whether a request was sent from one of these networks; False if it can't be told."""
    address = _peer(scope, receive)
    return address is not None and any(address in network for network in networks)


def _peer(scope: Scope, receive: Receive) -> IPv4Address | IPv6Address | None:
    # Behind a proxy on this machine, uvicorn writes into the scope what X-Forwarded-For names
    # instead of the proxy, with the port 0. Its connection still knows.
    # https://www.uvicorn.org/deployment/#proxies-and-forwarded-headers
    transport: Any = getattr(getattr(receive, "__self__", None), "transport", None)
    peer = transport.get_extra_info("peername") if transport is not None else None
    if not isinstance(peer, tuple):
        peer = scope.get("client")
        if peer is None or not peer[1]:
            return None
    try:
        address = ip_address(str(peer[0]).partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
