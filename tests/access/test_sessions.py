"""Sign-ins in the database: which last, which have ended, and that the database gives none away."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from access.sessions import Sessions
from access.tables import sign_ins
from access.users import User
from database.database import Database

MAYA = User("Maya Ortiz", "a hash")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def sessions(database: Database) -> Sessions:
    return Sessions(database, HOUR, 30 * DAY)


async def age(database: Database, *, began: timedelta, seen: timedelta) -> None:
    """Let every sign-in have begun, and a person been there, so much earlier."""
    earlier = {
        "began_at": sign_ins.c.began_at - began.total_seconds(),
        "seen_at": sign_ins.c.seen_at - seen.total_seconds(),
    }
    await database.write(lambda connection: connection.execute(sa.update(sign_ins).values(earlier)))


async def test_it_is_found_until_it_ends(sessions: Sessions):
    begun = await sessions.begin(MAYA, stays=False)
    assert len(begun.token) == 43
    assert await sessions.find(begun.token) == begun
    assert await sessions.lasting([begun.token_hash, "another"]) == {begun.token_hash}
    await sessions.end(begun.token_hash)
    assert await sessions.find(begun.token) is None
    assert await sessions.lasting([begun.token_hash]) == set()


async def test_each_has_a_token_of_its_own(sessions: Sessions):
    one, another = [await sessions.begin(MAYA, stays=False) for _ in range(2)]
    assert one.token != another.token
    await sessions.end(one.token_hash)
    assert await sessions.find(another.token) == another
    for guess in (
        "",
        "x" * 43,
        one.token_hash,
        another.token_hash,
        another.token.lower(),
        "\ud800",
    ):
        assert await sessions.find(guess) is None


async def test_all_of_one_name(sessions: Sessions):
    others = await sessions.begin(replace(MAYA, name="ben"), stays=True)
    for _ in range(2):
        await sessions.begin(MAYA, stays=True)
    assert await sessions.end_all_of("MAYA  ortiz") == 2
    assert await sessions.find(others.token) == others


@pytest.mark.parametrize("stays", [False, True])
async def test_idle(database: Database, sessions: Sessions, stays: bool):
    begun = await sessions.begin(MAYA, stays=stays)
    await age(database, began=HOUR * 2, seen=HOUR * 0.9)
    await sessions.touch(begun.token_hash)
    await age(database, began=HOUR * 0, seen=HOUR * 0.9)
    assert await sessions.find(begun.token) == begun
    await age(database, began=HOUR * 0, seen=HOUR * 0.2)
    assert (await sessions.find(begun.token) == begun) is stays
    assert (await sessions.lasting([begun.token_hash]) != set()) is stays
    # What has ended can't be touched back into life.
    await sessions.touch(begun.token_hash)
    assert (await sessions.find(begun.token) == begun) is stays


@pytest.mark.parametrize("stays", [False, True])
async def test_none_lasts_forever(database: Database, sessions: Sessions, stays: bool):
    begun = await sessions.begin(MAYA, stays=stays)
    await age(database, began=DAY * 30.1, seen=HOUR * 0)
    assert await sessions.find(begun.token) is None
    await sessions.begin(MAYA, stays=False)
    count = sa.select(sa.func.count()).select_from(sign_ins)
    assert await database.read(lambda connection: connection.scalar(count)) == 1


async def test_a_new_password_ends_it(sessions: Sessions):
    begun = await sessions.begin(MAYA, stays=True)
    found = await sessions.find(begun.token)
    assert found is not None
    assert found.is_of(MAYA)
    assert not found.is_of(replace(MAYA, secret="another hash"))
    assert not found.is_of(None)


async def test_nothing_in_the_database_signs_anybody_in(database: Database, sessions: Sessions):
    begun = await sessions.begin(MAYA, stays=True)

    def everything(connection: sa.Connection) -> str:
        return str(connection.execute(sa.select(sign_ins)).all())

    rows = await database.read(everything)
    assert begun.token_hash in rows
    for secret in (begun.token, MAYA.secret):
        assert secret not in rows
        assert secret not in repr(begun)
