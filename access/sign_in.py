"""Signing in: a name and a password become a sign-in, which is found again by its token."""

from __future__ import annotations

import asyncio
import importlib
import ipaddress
import logging
import math
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from access.actor import Actor
from access.audit_entry import Action, Kind
from access.names import MOST_NAME_CHARACTERS, is_usable
from access.passwords import MOST_PASSWORD_CHARACTERS, TooManyChecks
from access.roles import Roles
from access.users import Users

if TYPE_CHECKING:
    from access.sessions import Sessions, SignedIn
    from access.throttle import Throttle
    from database.database import Database

log = logging.getLogger(__name__)

# How long this process may go on accepting a sign-in that another one has ended.
REMEMBER_SECONDS = 3.0
# How often, at least, a person's activity is saved; more often if idle sign-ins end soon.
LONGEST_SECONDS_BETWEEN_TOUCHES = 60.0
DATABASE_TIMEOUT_SECONDS = 10.0
MOST_REMEMBERED = 10_000
# The actor of a refused sign-in in the audit trail, where no user is known.
STRANGER = Actor("Unknown visitor", frozenset())
# "Stay signed in on this computer" lasts this long. No sign-in lasts longer.
STAY_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a person can't sign in: a sentence, and the seconds after which another try makes sense.

    `field` is the one that the sentence is about: "name" or "password", or "" for neither.
    """

    sentence: str
    field: str = "password"
    wait_seconds: int = 0


@dataclass(slots=True)
class _Remembered:
    signed_in: SignedIn
    until: float


@dataclass(slots=True)
class _Opened:
    sessions: Sessions
    throttle: Throttle
    database: Database

    async def record(self, actor: Actor, action: Action, **details: str) -> None:
        """Write an entry into the audit trail."""
        from access.audit import Audit  # noqa: PLC0415 - needs SQLAlchemy, as the database does

        await Audit(self.database, actor).record(action, Kind.SIGN_IN, "a sign-in", **details)


@dataclass
class SignIn:
    """Signs people in, for one process and event loop.

    `database` opens the database when it is first needed; until then nothing is imported for it.
    Every method may raise `DatabaseError`, and `TimeoutError` while the database can't be reached.
    """

    users: Users
    roles: Roles
    idle: timedelta
    database: Callable[[], Awaitable[Database]] = field(repr=False)
    _opened: _Opened | None = field(default=None, init=False, repr=False)
    _remembered: dict[str, _Remembered] = field(default_factory=dict, init=False, repr=False)
    _touched: dict[str, float] = field(default_factory=dict, init=False, repr=False)

    async def attempt(
        self, name: str, password: str, *, stays: bool, address: str | None
    ) -> SignedIn | Refused:
        """Check a name and a password; begin a sign-in, or say in a sentence why not.

        `address` is the visitor's, None if it isn't known. Also raises `UsersError`.
        """
        name = " ".join(name.split())
        if problem := _problem(name, password):
            return problem
        async with asyncio.timeout(DATABASE_TIMEOUT_SECONDS):
            opened = await self._open()
            counted = await opened.throttle.count(name, address)
        if isinstance(counted, float):
            # Don't log the name: it may be a password that was typed into the wrong field.
            log.warning("Too many tries to sign in, the last one from %s.", address)
            return _too_many(counted)
        try:
            user = await self.users.check(name, password)
        except TooManyChecks:
            return Refused("Many people are signing in. Try again in a few seconds.", "", 5)
        if user is None:
            log.warning("A wrong name or password, from %s.", address)
            # Record it without the name, which may be a password that was typed into the wrong
            # field.
            await opened.record(STRANGER, Action.REFUSED, address=address or "unknown")
            return Refused("The name or the password is wrong.")
        async with asyncio.timeout(DATABASE_TIMEOUT_SECONDS):
            await opened.throttle.forgive(counted, name, address)
            begun = await opened.sessions.begin(user, stays=stays)
            await opened.record(
                self.actor(begun), Action.SIGNED_IN, address=address or "this machine or a proxy"
            )
        log.info("%s signed in from %s.", user.name, address)
        return begun

    async def find(self, token: str) -> SignedIn | None:
        """Return the sign-in of a token if it hasn't ended, else None. Also raises `UsersError`."""
        known = self._remembered.get(token)
        if known is None or time.monotonic() > known.until:
            async with asyncio.timeout(DATABASE_TIMEOUT_SECONDS):
                found = await (await self._open()).sessions.find(token)
            if found is None:
                self._remembered.pop(token, None)
                return None
            if len(self._remembered) >= MOST_REMEMBERED:
                self._remembered.clear()
            known = _Remembered(found, time.monotonic() + REMEMBER_SECONDS)
            self._remembered[token] = known
        # Check this every time: reading the file of users again costs little.
        return known.signed_in if self._is_of_user(known.signed_in) else None

    async def ended(self, signed_in: Collection[SignedIn]) -> set[SignedIn]:
        """Return which of them have ended: by signing out, removal, a new password, or idleness.

        Waits for as long as the database can't be reached. Also raises `UsersError`.
        """
        sessions = (await self._open()).sessions
        lasting = await sessions.lasting([each.token_hash for each in signed_in])
        return {
            each
            for each in signed_in
            if each.token_hash not in lasting or not self._is_of_user(each)
        }

    async def touch(self, signed_in: SignedIn) -> None:
        """Note that a person has just done something, so that the sign-in isn't idle."""
        now = time.monotonic()
        pause = min(LONGEST_SECONDS_BETWEEN_TOUCHES, self.idle.total_seconds() / 4)
        if now - self._touched.get(signed_in.token_hash, -math.inf) < pause:
            return
        if len(self._touched) >= MOST_REMEMBERED:
            self._touched.clear()
        self._touched[signed_in.token_hash] = now
        async with asyncio.timeout(DATABASE_TIMEOUT_SECONDS):
            await (await self._open()).sessions.touch(signed_in.token_hash)

    async def end(self, signed_in: SignedIn) -> None:
        """Sign out."""
        async with asyncio.timeout(DATABASE_TIMEOUT_SECONDS):
            opened = await self._open()
            await opened.sessions.end(signed_in.token_hash)
            await opened.record(self.actor(signed_in), Action.SIGNED_OUT)
        self._remembered.pop(signed_in.token, None)
        self._touched.pop(signed_in.token_hash, None)
        log.info("%s signed out.", signed_in.name)

    def actor(self, signed_in: SignedIn) -> Actor:
        """Return the actor for a person who is signed in, with their permissions."""
        return self.roles.actor(signed_in.name)

    def _is_of_user(self, signed_in: SignedIn) -> bool:
        return signed_in.is_of(self.users.find(signed_in.name))

    async def _open(self) -> _Opened:
        if self._opened is None:
            # Import this before the database is opened, which checks that it has these tables.
            sessions = await asyncio.to_thread(importlib.import_module, "access.sessions")
            throttle = await asyncio.to_thread(importlib.import_module, "access.throttle")
            database = await self.database()
            self._opened = _Opened(
                sessions.Sessions(database, self.idle, timedelta(seconds=STAY_SECONDS)),
                throttle.Throttle(database),
                database,
            )
        return self._opened


def _problem(name: str, password: str) -> Refused | None:
    if not name:
        return Refused("Type your name.", "name")
    if not is_usable(name):
        return Refused(
            f"Type your name again: at most {MOST_NAME_CHARACTERS} characters, and none that are "
            "invisible.",
            "name",
        )
    if not password:
        return Refused("Type your password.")
    if len(password) > MOST_PASSWORD_CHARACTERS:
        return Refused("The name or the password is wrong.")
    return None


def _too_many(seconds: float) -> Refused:
    whole = math.ceil(seconds)
    minutes = math.ceil(whole / 60)
    wait = f"{whole} s" if whole <= 90 else f"{minutes} minutes"
    return Refused(f"Too many wrong tries. Try again in {wait}.", wait_seconds=whole)


def address_of(client: str | None) -> str | None:
    """Return what counts as one address: an IPv4 address or the network of an IPv6 address.

    None for a loopback address: a proxy's that doesn't say which client it asks for.
    """
    try:
        address = ipaddress.ip_address((client or "").partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            # A provider gives each customer a /64 or more.
            network = ipaddress.ip_network((int(address), 64), strict=False)
            return None if address.is_loopback else str(network)
        address = address.ipv4_mapped
    return None if address.is_loopback else str(address)
