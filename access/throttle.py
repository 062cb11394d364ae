"""The throttle of tries to sign in: per name and per address, over all processes.

After a few wrong tries each further one has to wait, twice as long as the last. Tries from an
address at which the name has signed in before are counted by themselves, so that others can't lock
its owner out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from access.names import user_key
from access.tables import sign_in_tries
from database.database import Database
from database.tables import insert_new
from database.transactions import database_time

FREE_TRIES_OF_NAME = 5
FREE_TRIES_FROM_ADDRESS = 20
FIRST_WAIT_SECONDS = 5.0
LONGEST_WAIT_SECONDS = 15 * 60.0
FORGET_TRIES_AFTER_SECONDS = 24 * 3600.0
REMEMBER_ADDRESS_SECONDS = 30 * 24 * 3600.0
# Visitors of a proxy that doesn't tell their addresses count as one. Otherwise a person who
# guesses a shared password could type another name each time, and never wait.
UNKNOWN_ADDRESS = "unknown"


@dataclass(frozen=True, slots=True)
class Counted:
    """A try that was let through and counts as wrong until it is found to be right."""

    subjects: tuple[str, ...]


class Throttle:
    """Counts tries in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, name: str, address: str | None) -> Counted | float:
        """Count a try as wrong before it is checked; or return the seconds that it has to wait.

        Counting first means that many tries at once can't all be checked. `address` is None if it
        isn't known, as behind a proxy that doesn't pass it on.
        """

        def add(connection: sa.Connection) -> Counted | float:
            now = database_time(connection)
            subjects = _subjects(connection, name, address or UNKNOWN_ADDRESS, now)
            rows = _locked(connection, subjects)
            # Save nothing for a try that has to wait: an attacker could fill the table with names.
            if _wait(rows, now) <= 0 and len(rows) < len(subjects):
                _insert_missing(connection, [*subjects], now)
                rows = _locked(connection, subjects)
            if (wait := _wait(rows, now)) > 0:
                return wait
            for subject, free_tries in subjects.items():
                row = rows[subject]
                is_old = row.last_at < now - FORGET_TRIES_AFTER_SECONDS
                failures = (0 if is_old else row.failures) + 1
                values = {
                    "failures": failures,
                    "free_at": now + wait_after(failures, free_tries),
                    "last_at": now,
                }
                own = sign_in_tries.c.subject == subject
                connection.execute(sa.update(sign_in_tries).where(own).values(values))
            return Counted(tuple(subjects))

        return await self._database.write(add)

    async def forgive(self, counted: Counted, name: str, address: str | None) -> None:
        """Take back a try that was right, and remember where the name has signed in from."""

        def update(connection: sa.Connection) -> None:
            now = database_time(connection)
            for subject in counted.subjects:
                own = sign_in_tries.c.subject == subject
                if subject.startswith("address "):
                    # Forgive only this try: an attacker who guesses other people's passwords may
                    # have a user of their own, and must not reset the count by signing in as that.
                    less = {"failures": sign_in_tries.c.failures - 1, "free_at": now}
                    connection.execute(sa.update(sign_in_tries).where(own).values(less))
                else:
                    connection.execute(sa.delete(sign_in_tries).where(own))
            known = _known(name, address or UNKNOWN_ADDRESS)
            _insert_missing(connection, [known], now)
            values = {"failures": 0, "free_at": 0.0, "last_at": now}
            own = sign_in_tries.c.subject == known
            connection.execute(sa.update(sign_in_tries).where(own).values(values))
            _forget(connection, now)

        await self._database.write(update)


def wait_after(failures: int, free_tries: int) -> float:
    """Return the seconds to wait after `failures` wrong tries; the first `free_tries` cost none."""
    over = failures - free_tries
    return 0.0 if over < 0 else min(FIRST_WAIT_SECONDS * 2 ** min(over, 20), LONGEST_WAIT_SECONDS)


def _subjects(connection: sa.Connection, name: str, address: str, now: float) -> dict[str, int]:
    """Return the keys that the try counts under, each with the number of its free tries."""
    known = _known(name, address)
    since = now - REMEMBER_ADDRESS_SECONDS
    wanted = sa.select(sign_in_tries.c.subject).where(
        sign_in_tries.c.subject == known, sign_in_tries.c.last_at > since
    )
    if connection.scalar(wanted) is not None:
        return {known: FREE_TRIES_OF_NAME}
    return {
        f"address {address}": FREE_TRIES_FROM_ADDRESS,
        f"name {_bucket(name)}": FREE_TRIES_OF_NAME,
    }


def _locked(connection: sa.Connection, subjects: Collection[str]) -> dict[str, sa.Row[Any]]:
    """Return the rows of these subjects, those that are there, and keep others from changing them.

    In the same order everywhere, so that no two transactions deadlock.
    """
    wanted = (
        sa.select(sign_in_tries)
        .where(sign_in_tries.c.subject.in_(subjects))
        .order_by(sign_in_tries.c.subject)
        .with_for_update()
    )
    return {row.subject: row for row in connection.execute(wanted)}


def _wait(rows: Mapping[str, sa.Row[Any]], now: float) -> float:
    return max((row.free_at - now for row in rows.values()), default=0.0)


def _bucket(name: str) -> str:
    """Return a short hash that stands for a name, from which the name can't be recovered.

    A person may have typed their password into the field for the name.
    """
    return hashlib.sha256(user_key(name).encode()).hexdigest()[:6]


def _known(name: str, address: str) -> str:
    return f"known {address} {_bucket(name)}"


def _insert_missing(connection: sa.Connection, subjects: list[str], now: float) -> None:
    rows = [{"subject": each, "failures": 0, "free_at": 0.0, "last_at": now} for each in subjects]
    insert_new(connection, sign_in_tries, rows)


def _forget(connection: sa.Connection, now: float) -> None:
    is_known = sign_in_tries.c.subject.startswith("known ")
    limit = sa.case(
        (is_known, now - REMEMBER_ADDRESS_SECONDS), else_=now - FORGET_TRIES_AFTER_SECONDS
    )
    connection.execute(sa.delete(sign_in_tries).where(sign_in_tries.c.last_at < limit))
