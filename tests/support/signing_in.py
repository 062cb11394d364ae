"""People who sign in, for tests: a file of users, and what signs them in, on a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher

from access import tables as _tables  # noqa: F401 - the database then has to have them
from access.roles import Roles
from access.sessions import SignedIn
from access.sign_in import SignIn
from access.users import User, UsersFile, _write
from database.database import Database
from database.tables import metadata

MAYA, BEN = "Maya Ortiz", "ben"
PASSWORD = "correct horse battery"
ELSEWHERE = "203.0.113.7"


def users_in(folder: Path, *names: str) -> UsersFile:
    """A file of users who all have the same password, hashed once and with little work."""
    users = UsersFile(folder / "users")
    _write(users.path, [User(name, cheap_hash()) for name in names or (MAYA,)])
    return users


@cache
def cheap_hash() -> str:
    return PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)


@asynccontextmanager
async def open_database(url: str) -> AsyncIterator[Database]:
    database = Database(url, metadata)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


def sign_in_on(
    database: Database,
    users: UsersFile,
    roles: Roles | None = None,
    idle: timedelta = timedelta(hours=12),
) -> SignIn:
    """What one process signs people in with."""

    async def opened() -> Database:
        return database

    return SignIn(users, roles or Roles(), idle, opened)


async def signed_in(sign_in: SignIn, name: str = MAYA, *, stays: bool = False) -> SignedIn:
    found = await sign_in.attempt(name, PASSWORD, stays=stays, address=ELSEWHERE)
    assert not hasattr(found, "sentence"), found
    return found
