"""Who sends a request: a person who signed in, one whom Connect or a proxy vouches for, or no one.

An app uses one of these classes, depending on its settings and on what hosts it.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Any, Protocol

from starlette.datastructures import Headers
from starlette.types import Receive, Scope

from access import Actor
from access.names import is_usable
from access.roles import Roles
from access.sign_in import SignIn
from access.users import UsersError
from alerts import DatabaseError
from alerts.log_lines import LimitedLog, quoted
from dashboard.hosting import connect_user
from dashboard.own_pages import is_from_this_machine
from dashboard.sign_in.cookies import tokens_in

if TYPE_CHECKING:
    from access.sessions import SignedIn

log = LimitedLog(__name__)
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who sends a request; `signed_in` if they have signed in here."""

    actor: Actor
    signed_in: SignedIn | None = None


@dataclass(frozen=True, slots=True)
class Denied:
    """Why a request isn't served: a heading and sentences. With 401 the visitor may sign in."""

    status: int
    heading: str
    sentences: tuple[str, ...]


SIGN_IN_FIRST = Denied(401, "Sign in", ("Sign in first.",))
NO_DATABASE = Denied(
    503,
    "Nobody can be signed in now",
    ("The database can't be reached. Try again in a minute.",),
)
NOBODY_MAY = Denied(
    403,
    "Nobody may use this Callboard yet",
    (
        "A Twilio account is set, so calls are real and cost money. This page was opened from "
        "another computer, and no setting says who may make calls.",
        "If you run it, say who may: set USERS_FILE and add users with "
        "“python -m alerts users add NAME”, or set DASHBOARD_PASSWORD. Behind a proxy that signs "
        "people in, set IDENTITY_HEADER and TRUSTED_PROXIES. ALLOW_ANONYMOUS=1 lets everybody in "
        "who can reach this address. Then start it again.",
        "Calls under way go on, and Twilio's callbacks are answered.",
    ),
)
NOBODY_ON_CONNECT = Denied(
    403,
    "Sign in to Posit Connect",
    (
        "A Twilio account is set, so calls are real and cost money, and Connect doesn't say who "
        "you are.",
        "If you run it, let only those see this content who are signed in (Access: All users, or "
        "Specific users or groups). ALLOW_ANONYMOUS=1 lets everybody in.",
    ),
)
NOT_FROM_PROXY = Denied(
    403,
    "This is not the way in",
    ("This Callboard is used through a proxy that signs people in. Open that address.",),
)


class Identify(Protocol):
    """Tells who sends a request or opens a session."""

    async def __call__(self, scope: Scope, receive: Receive) -> Visitor | Denied:
        """Return the visitor, or why the request isn't served."""
        ...


@dataclass(frozen=True, slots=True)
class Anonymous:
    """Visitors without a sign-in: from this machine only, unless `everybody` may use the app."""

    everybody: bool

    async def __call__(self, scope: Scope, receive: Receive) -> Visitor | Denied:
        """Return the user that runs this process."""
        if self.everybody or is_from_this_machine(scope):
            return Visitor(Actor.at_page())
        return NOBODY_MAY


@dataclass(frozen=True, slots=True)
class OnConnect:
    """Visitors whom Posit Connect vouches for; no others, unless `everybody` may use the app."""

    roles: Roles
    everybody: bool

    async def __call__(self, scope: Scope, receive: Receive) -> Visitor | Denied:
        """Return the visitor that Connect names, with the roles of their groups."""
        visitor = connect_user(Headers(scope=scope))
        if visitor is not None:
            return Visitor(self.roles.actor(visitor.name, visitor.groups))
        return Visitor(Actor.at_page()) if self.everybody else NOBODY_ON_CONNECT


class BehindProxy:
    """Visitors whom a proxy vouches for in a header, accepted from the proxy's addresses only."""

    def __init__(self, header: str, proxies: tuple[str, ...], roles: Roles) -> None:
        self._header = header
        self._proxies = tuple(map(ip_network, proxies))
        self._roles = roles

    async def __call__(self, scope: Scope, receive: Receive) -> Visitor | Denied:
        """Return the visitor that the proxy names."""
        values = Headers(scope=scope).getlist(self._header)
        if not is_sent_by(scope, receive, self._proxies):
            if values:
                log.warning(
                    f"Refused {self._header} from {quoted(str(scope.get('client')))}, which "
                    "isn't in TRUSTED_PROXIES."
                )
            return NOT_FROM_PROXY
        name = _read(values[0]) if len(values) == 1 else ""
        if not is_usable(name):
            log.warning(
                f"Refused a request whose {self._header} is missing, sent twice, or not a name."
            )
            return Denied(
                403,
                "The proxy doesn't say who you are",
                (
                    f"It must send {self._header} once, with the name of the person who is signed "
                    "in.",
                ),
            )
        return Visitor(self._roles.actor(name))


@dataclass(frozen=True, slots=True)
class ByCookie:
    """Visitors who have signed in here."""

    sign_in: SignIn

    async def __call__(self, scope: Scope, receive: Receive) -> Visitor | Denied:
        """Return the visitor whom the cookie belongs to."""
        for token in tokens_in(Headers(scope=scope)):
            visitor = await self.find(token)
            if visitor is not SIGN_IN_FIRST:
                return visitor
        return SIGN_IN_FIRST

    async def find(self, token: str) -> Visitor | Denied:
        """Return the visitor whom a token belongs to."""
        try:
            signed_in = await self.sign_in.find(token)
        except (DatabaseError, TimeoutError, UsersError) as problem:
            log.warning(f"Can't tell who is signed in: {_sentence(problem)}")
            return NO_DATABASE
        if signed_in is None:
            return SIGN_IN_FIRST
        return Visitor(self.sign_in.actor(signed_in), signed_in)


def _sentence(problem: Exception) -> str:
    return str(problem) or "the database doesn't answer."


def _read(value: str) -> str:
    """Return a header's text, which ASGI hands over as Latin-1, decoded as UTF-8 if it can be."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError:
        return value


def is_sent_by(scope: Scope, receive: Receive, networks: tuple[Network, ...]) -> bool:
    """Return whether a request was sent from one of these networks; False if that isn't known."""
    address = _peer(scope, receive)
    return address is not None and any(address in network for network in networks)


def _peer(scope: Scope, receive: Receive) -> IPv4Address | IPv6Address | None:
    # Behind a proxy on this machine, uvicorn replaces the proxy's address in the scope with the one
    # that X-Forwarded-For names, and the port with 0. The connection still has the proxy's.
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
