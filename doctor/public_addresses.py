"""Addresses for Twilio: which ones the internet can't reach, by their name, and what lets it in.

That is a tunnel to a laptop, or a few lines for nginx or Caddy: texts to copy.
"""

from __future__ import annotations

import re
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

import httpx

from doctor.check import Fix

ANSWER_TIMEOUT_SECONDS = 15.0  # as long as Twilio waits
# Names that only a machine or a local network knows.
# https://www.iana.org/assignments/special-use-domain-names
LOCAL_DOMAINS = (
    "localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan",
    "home.arpa", "test", "example", "invalid", "onion",
)  # fmt: skip

PORT = 8000
HERE = f"http://127.0.0.1:{PORT}"

# Each keeps running and prints its address, except Tailscale, whose address stays the same.
TUNNELS = (
    Fix(
        f"cloudflared tunnel --url {HERE}\n# In .env, then start Callboard again:\n"
        "PUBLIC_URL=https://….trycloudflare.com",
        "On a laptop, with cloudflared (no account needed)",
    ),
    Fix(
        f"ngrok http {PORT}\n# In .env, then start Callboard again:\n"
        "PUBLIC_URL=https://….ngrok-free.app",
        "Or with ngrok",
    ),
    Fix(
        f"tailscale funnel {PORT}\n# In .env, then start Callboard again:\n"
        "PUBLIC_URL=https://this-machine.….ts.net",
        "Or with Tailscale",
    ),
    Fix(
        f"ssh -N -R 127.0.0.1:{PORT}:127.0.0.1:{PORT} you@your-server\n"
        f"# On the server, which has a name and a certificate:\n"
        f"caddy reverse-proxy --from calls.your-server.example --to 127.0.0.1:{PORT}\n"
        "# In .env, then start Callboard again:\n"
        "PUBLIC_URL=https://calls.your-server.example",
        "Or with ssh, through a server of your own",
    ),
)
TWILIOS_PATHS = ("/twilio/", "/twiml/", "/healthz")


def why_out_of_reach(url: str) -> str | None:
    """Return why the internet can't reach the host of `url`, or None if perhaps it can."""
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
    """Say that nothing answers at `place`, why, and what to do."""
    reason = str(error) or type(error).__name__
    return f"No answer from {place} ({reason}): check that the address is right and is served."


def open_paths(public_url: str, server: str) -> tuple[Fix, ...]:
    """Return what lets Twilio past a login, for the proxy that `server` (its header) names.

    Both proxies if it names neither. https://nginx.org/en/docs/http/ngx_http_auth_request_module.html
    """
    below = urlsplit(public_url).path.rstrip("/")
    nginx = Fix("\n".join(_location(f"{below}{path}", below) for path in TWILIOS_PATHS), "In nginx")
    paths = " ".join(f"{below}{path}{'*' * path.endswith('/')}" for path in TWILIOS_PATHS)
    strip = f"    uri strip_prefix {below}\n" if below else ""
    caddy = Fix(
        f"@twilio path {paths}\nhandle @twilio {{\n{strip}    reverse_proxy 127.0.0.1:{PORT}\n}}",
        "In Caddy, before the part that asks for a login",
    )
    name = server.partition("/")[0].strip().lower()
    return {"nginx": (nginx,), "caddy": (caddy,)}.get(name, (nginx, caddy))


def _location(path: str, below: str) -> str:
    upstream = f"{HERE}{path.removeprefix(below)}"
    kind = "" if path.endswith("/") else "= "
    return (
        f"location {kind}{path} {{\n    auth_request off;\n    auth_basic off;\n"
        f"    proxy_pass {upstream};\n}}"
    )
