"""Sign-ins in the database: begun, found by their cookie's token, ended from any process."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta

import sqlalchemy as sa

from access.names import user_key
from access.tables import sign_ins
from access.users import User
from database.database import Database
from database.transactions import database_time

TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person who is signed in. `token` is what their cookie holds, so don't show it."""

    name: str
    token_hash: str = field(repr=False)
    token: str = field(repr=False)
    mark: str = field(repr=False)

    def is_of(self, user: User | None) -> bool:
        """Return whether this was begun with the password that the user has now."""
        return user is not None and hmac.compare_digest(self.mark, _mark(self.token, user))


class Sessions:
    """The sign-ins of all processes on one database.

    A sign-in ends once the person has done nothing for `idle`, unless they asked to stay signed in.
    No sign-in lasts longer than `longest`.
    """

    def __init__(self, database: Database, idle: timedelta, longest: timedelta) -> None:
        self._database = database
        self._idle_seconds = idle.total_seconds()
        self._longest_seconds = longest.total_seconds()

    async def begin(self, user: User, *, stays: bool) -> SignedIn:
        """Begin a sign-in with a token of its own."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        begun = SignedIn(user.name, _hash(token), token, _mark(token, user))

        def add(connection: sa.Connection) -> None:
            now = database_time(connection)
            too_old = sign_ins.c.began_at < now - self._longest_seconds
            connection.execute(sa.delete(sign_ins).where(too_old))
            # The transaction runs again if the answer to its commit was lost.
            own = sign_ins.c.token_hash == begun.token_hash
            connection.execute(sa.delete(sign_ins).where(own))
            row = {
                "token_hash": begun.token_hash,
                "name": user.name,
                "name_key": user_key(user.name),
                "mark": begun.mark,
                "stays": stays,
                "began_at": now,
                "seen_at": now,
            }
            connection.execute(sa.insert(sign_ins).values(row))

        await self._database.write(add)
        return begun

    async def find(self, token: str) -> SignedIn | None:
        """Return the sign-in that a token belongs to; None if there is none or it has ended.

        The caller has to check that the user still has the password that it was begun with.
        """
        token_hash = _hash(token)

        def look(connection: sa.Connection) -> SignedIn | None:
            wanted = sa.select(sign_ins).where(
                sign_ins.c.token_hash == token_hash, self._lasts(database_time(connection))
            )
            row = connection.execute(wanted).first()
            return SignedIn(row.name, token_hash, token, row.mark) if row else None

        return await self._database.read(look)

    async def lasting(self, token_hashes: Collection[str]) -> set[str]:
        """Return which of these sign-ins haven't ended."""

        def look(connection: sa.Connection) -> set[str]:
            wanted = sa.select(sign_ins.c.token_hash).where(
                sign_ins.c.token_hash.in_(token_hashes), self._lasts(database_time(connection))
            )
            return set(connection.scalars(wanted))

        return await self._database.read(look)

    async def touch(self, token_hash: str) -> None:
        """Save that the person has just done something."""

        def update(connection: sa.Connection) -> None:
            now = database_time(connection)
            own = sa.and_(sign_ins.c.token_hash == token_hash, self._lasts(now))
            connection.execute(sa.update(sign_ins).where(own).values(seen_at=now))

        await self._database.write(update)

    async def end(self, token_hash: str) -> None:
        """End one sign-in, unless it has ended already."""
        own = sign_ins.c.token_hash == token_hash
        await self._database.write(lambda connection: _delete(connection, own))

    async def end_all_of(self, name: str) -> int:
        """End all sign-ins of a user, and return how many there were."""
        theirs = sign_ins.c.name_key == user_key(name)
        return await self._database.write(lambda connection: _delete(connection, theirs))

    def _lasts(self, now: float) -> sa.ColumnElement[bool]:
        return sa.and_(
            sign_ins.c.began_at > now - self._longest_seconds,
            sa.or_(sign_ins.c.stays, sign_ins.c.seen_at > now - self._idle_seconds),
        )


def _delete(connection: sa.Connection, where: sa.ColumnElement[bool]) -> int:
    return connection.execute(sa.delete(sign_ins).where(where)).rowcount


def _hash(token: str) -> str:
    """Return the token's hash. The database has only this, and no one can sign in with it."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def _mark(token: str, user: User) -> str:
    """Return a keyed hash, which changes with the password, and is useless without the token."""
    key, secret = (each.encode(errors="surrogatepass") for each in (token, user.secret))
    return hmac.new(key, secret, hashlib.sha256).hexdigest()
