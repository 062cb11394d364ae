"""Passwords: hashing them with Argon2, and checking a few at a time.

A check takes 64 MiB of memory and a tenth of a second, on purpose. So only a few run at once.
https://argon2-cffi.readthedocs.io/en/stable/parameters.html
"""

from __future__ import annotations

import asyncio
from functools import cache
from typing import TYPE_CHECKING

from database.characters import is_whole
from settings import FEWEST_PASSWORD_CHARACTERS

if TYPE_CHECKING:
    from argon2 import PasswordHasher

CHECKS_AT_ONCE = 2
MOST_WAITING_CHECKS = 20
# Argon2 takes long passwords, but each has to be read and hashed.
MOST_PASSWORD_CHARACTERS = 1000


class TooManyChecks(Exception):
    """Too many checks are waiting, so another one would have to wait too long."""


def problem_of(password: str) -> str:
    """Return what is wrong with a new password, as a sentence, or ""."""
    if len(password) < FEWEST_PASSWORD_CHARACTERS:
        return f"The password is too short: use {FEWEST_PASSWORD_CHARACTERS} characters or more."
    if len(password) > MOST_PASSWORD_CHARACTERS:
        return f"The password is too long: use at most {MOST_PASSWORD_CHARACTERS:,} characters."
    if not is_whole(password):
        return "The password holds something that isn't a character: type another."
    return ""


def hashed(password: str) -> str:
    """Return the Argon2 hash of a password, with its parameters and a salt of its own."""
    return _hasher().hash(password)


class PasswordChecks:
    """Checks passwords in threads, `CHECKS_AT_ONCE` at a time. For one event loop."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(CHECKS_AT_ONCE)
        self._waiting = 0

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Return whether the password has this hash; False without a hash, after the same time.

        Raises `TooManyChecks`.
        """
        if self._waiting >= MOST_WAITING_CHECKS:
            raise TooManyChecks
        self._waiting += 1
        try:
            async with self._slots:
                return await asyncio.to_thread(_matches, password_hash, password)
        finally:
            self._waiting -= 1


def _matches(password_hash: str | None, password: str) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415

    if len(password) > MOST_PASSWORD_CHARACTERS or not is_whole(password):
        password, password_hash = "", None
    try:
        # Check even without a user, so that the time taken doesn't reveal whether there is one.
        matches = _hasher().verify(password_hash or _nobodys_hash(), password)
    except (VerificationError, InvalidHashError):
        return False
    return matches and password_hash is not None


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher  # noqa: PLC0415 - the app starts without it

    return PasswordHasher()


@cache
def _nobodys_hash() -> str:
    return hashed("the password of nobody")
