"""Whether Twilio, from the internet, can reach an address, by its name."""

from __future__ import annotations

import re
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

import httpx

ANSWER_TIMEOUT_SECONDS = 15.0  # as long as Twilio waits
# Names that only a machine or a local network knows.
# https://www.iana.org/assignments/special-use-domain-names
LOCAL_DOMAINS = (
    "localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan",
    "home.arpa", "test", "example", "invalid", "onion",
)  # fmt: skip


def why_out_of_reach(url: str) -> str | None:
    """Return why nobody on the internet can reach the host of `url`, or None if they may."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    address = _ip_address(host)
    if address is not None:
        # Multicast addresses count as global.
        if address.is_global and not address.is_multicast:
            return None
        return f"{address} is an address of this machine or of a local network"
    if host == "localhost" or host.endswith(".localhost"):
        return f"{host} is each machine's own name for itself"
    domain = next((each for each in LOCAL_DOMAINS if f".{host}".endswith(f".{each}")), None)
    if domain:
        return f"names that end in .{domain} aren't known on the internet"
    if "." not in host:
        return f"{host} is a name that only a local network knows"
    return None


def _ip_address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        if not re.fullmatch(r"(0x[0-9a-f]+|[0-9]+)(\.(0x[0-9a-f]+|[0-9]+)){0,3}", host):
            return None
        try:
            return IPv4Address(socket.inet_aton(host))  # short forms such as 127.1
        except OSError:
            return None
    return getattr(address, "ipv4_mapped", None) or address


def no_answer(place: str, error: httpx.HTTPError) -> str:
    """Say that nothing answers, why, and what to do."""
    reason = str(error) or type(error).__name__
    return f"No answer from {place} ({reason}): check that the address is right and is served."
