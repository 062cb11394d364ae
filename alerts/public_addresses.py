"""Whether Twilio, from the internet, can reach an address: by its name, and by asking there."""

from __future__ import annotations

import re
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

import httpx

from alerts.services import STATUS_PATH
from twilio_client import network_transport

ANSWER_TIMEOUT_SECONDS = 15.0  # as long as Twilio waits
# Names that only a machine or a local network knows.
# https://www.iana.org/assignments/special-use-domain-names
LOCAL_DOMAINS = (
    "localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan",
    "home.arpa", "test", "example", "invalid", "onion",
)  # fmt: skip
HEALTH_PATH = "/healthz"


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


async def why_not_this_app(public_url: str) -> str | None:
    """Ask at `public_url` as Twilio would; return what keeps its callbacks from this app, or None.

    Asks for its health, and posts a status that nobody signed, which it must refuse.
    """
    health, status = f"{public_url}{HEALTH_PATH}", f"{public_url}{STATUS_PATH}"
    try:
        async with httpx.AsyncClient(
            transport=network_transport(), timeout=ANSWER_TIMEOUT_SECONDS
        ) as twilio:
            problem = _why_unwell(await twilio.get(health), health)
            return problem or _why_open(await twilio.post(status, data={"By": "doctor"}), status)
    except httpx.HTTPError as error:
        return no_answer(public_url, error)


def no_answer(place: str, error: httpx.HTTPError) -> str:
    """Say that nothing answers, why, and what to do."""
    reason = str(error) or type(error).__name__
    return f"No answer from {place} ({reason}): check that the address is right and is served."


def _why_unwell(answer: httpx.Response, url: str) -> str | None:
    problem = _why_not_let_through(answer, url)
    if problem:
        return problem
    word = _status_word(answer)
    if word is None:
        return f"Something else than Callboard answers at {url}: check PUBLIC_URL."
    if answer.status_code != httpx.codes.OK:
        return (
            f"The app at {url} says that it isn't well (HTTP {answer.status_code}, {word}): "
            "open its page, or see its log."
        )
    return None


def _why_open(answer: httpx.Response, url: str) -> str | None:
    if answer.status_code == httpx.codes.FORBIDDEN:
        return None
    problem = _why_not_let_through(answer, url)
    if problem:
        return problem
    return (
        f"A request that Twilio didn't sign got HTTP {answer.status_code} from {url} instead of "
        "403: check that the proxy passes it to this app as it is."
    )


def _why_not_let_through(answer: httpx.Response, url: str) -> str | None:
    """Return what a proxy in front of the app does with requests of Twilio's, if anything."""
    status = answer.status_code
    if answer.is_redirect:
        # Without its query, which may be a token for signing in.
        where = str(answer.headers["location"]).partition("?")[0]
        return (
            f"{url} redirects to {where}: PUBLIC_URL must be the final address, and Twilio must "
            "be let through without a login."
        )
    if status in {401, 403, 407}:
        return (
            f"{url} asks for a login (HTTP {status}): let Twilio through to /twilio/, /twiml/ "
            "and /healthz without one."
        )
    if status in {404, 405}:
        return (
            f"{url} isn't there (HTTP {status}): PUBLIC_URL must be the app's whole address, "
            "with its sub-path, and the proxy must pass it on."
        )
    if status in {502, 504} or (status == 503 and _status_word(answer) is None):
        return f"The proxy at {url} doesn't reach the app (HTTP {status}): check that it runs."
    return None


def _status_word(answer: httpx.Response) -> str | None:
    """Return the word of our own `/healthz`, None if this is another program's answer."""
    try:
        content = answer.json()
    except ValueError:
        return None
    word = content.get("status") if isinstance(content, dict) else None
    return word if isinstance(word, str) else None
