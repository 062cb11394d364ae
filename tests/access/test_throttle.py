"""Wrong tries have to wait, in all processes, and don't keep the right person out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from access.sign_in import address_of
from access.tables import sign_in_tries
from access.throttle import (
    FREE_TRIES_FROM_ADDRESS,
    FREE_TRIES_OF_NAME,
    LONGEST_WAIT_SECONDS,
    Counted,
    Throttle,
    wait_after,
)
from database.database import Database
from tests.support.signing_in import open_database

HERE, THERE = "198.51.100.1", "203.0.113.7"


@pytest.fixture
async def databases(database_url: str) -> AsyncIterator[list[Database]]:
    async with open_database(database_url) as one, open_database(database_url) as another:
        yield [one, another]


@pytest.fixture
def processes(databases: list[Database]) -> list[Throttle]:
    """The throttles of two processes on one database."""
    return [Throttle(database) for database in databases]


async def fail(throttle: Throttle, times: int, name: str = "maya", address: str | None = THERE):
    for _ in range(times):
        assert isinstance(await throttle.count(name, address), Counted)


async def later(database: Database, seconds: float) -> None:
    earlier = {
        "free_at": sign_in_tries.c.free_at - seconds,
        "last_at": sign_in_tries.c.last_at - seconds,
    }
    await database.write(
        lambda connection: connection.execute(sa.update(sign_in_tries).values(earlier))
    )


@pytest.mark.slow
async def test_a_name_in_two_processes(processes: list[Throttle], databases: list[Database]):
    one, another = processes
    await fail(one, 3)
    await fail(another, FREE_TRIES_OF_NAME - 3, "MAYA", HERE)
    for throttle in processes:
        wait = await throttle.count("maya", HERE)
        assert isinstance(wait, float)
        assert 0 < wait <= 5
    # Others are let in meanwhile, and after the wait so is one more try.
    await fail(one, 1, "ben", HERE)
    await later(databases[0], 5)
    await fail(another, 1)
    wait = await one.count("maya", THERE)
    assert isinstance(wait, float)
    assert 5 < wait <= 10


async def test_an_address_that_tries_many_names(processes: list[Throttle]):
    one, another = processes
    for number in range(FREE_TRIES_FROM_ADDRESS):
        await fail((one, another)[number % 2], 1, f"name {number}")
    assert isinstance(await one.count("yet another", THERE), float)
    await fail(another, 1, "yet another", HERE)


async def test_who_has_to_wait_fills_no_table(processes: list[Throttle], databases: list[Database]):
    async def rows() -> int | None:
        counted = sa.select(sa.func.count()).select_from(sign_in_tries)
        return await databases[0].read(lambda connection: connection.scalar(counted))

    for number in range(FREE_TRIES_FROM_ADDRESS):
        await fail(processes[0], 1, f"name {number}")
    before = await rows()
    for number in range(10):
        assert isinstance(await processes[1].count(f"other name {number}", THERE), float)
    assert await rows() == before


async def test_behind_a_proxy_that_tells_no_address(processes: list[Throttle]):
    one, another = processes
    counted = await one.count("maya", None)
    assert isinstance(counted, Counted)
    await one.forgive(counted, "maya", None)
    for number in range(FREE_TRIES_FROM_ADDRESS):
        await fail(one, 1, f"label {number}", None)
    assert isinstance(await another.count("yet another label", None), float)
    # Who has signed in through it before doesn't wait for others' guesses.
    await fail(another, 1, "maya", None)


async def test_many_at_once_are_no_way_around(processes: list[Throttle]):
    tries = [throttle.count("maya", THERE) for throttle in processes * 20]
    let_through = [each for each in await asyncio.gather(*tries) if isinstance(each, Counted)]
    assert len(let_through) == FREE_TRIES_OF_NAME


async def test_a_right_try_counts_for_nothing(processes: list[Throttle]):
    one, _ = processes
    for _ in range(FREE_TRIES_FROM_ADDRESS + 5):
        counted = await one.count("maya", THERE)
        assert isinstance(counted, Counted)
        await one.forgive(counted, "maya", THERE)


async def test_others_keep_nobody_out_where_they_have_signed_in_before(
    processes: list[Throttle], databases: list[Database]
):
    one, another = processes
    counted = await one.count("maya", HERE)
    assert isinstance(counted, Counted)
    await one.forgive(counted, "maya", HERE)
    await fail(another, FREE_TRIES_OF_NAME)
    assert isinstance(await one.count("maya", THERE), float)
    await fail(another, FREE_TRIES_OF_NAME, "maya", HERE)
    # Guessing is limited there too.
    assert isinstance(await one.count("maya", HERE), float)


async def test_ones_own_success_is_no_way_around(processes: list[Throttle]):
    """An owner of one name can't reset what counts against their address by signing in."""
    one, another = processes
    for number in range(FREE_TRIES_FROM_ADDRESS):
        await fail(another, 1, f"name {number}")
        if number % 5 == 0:
            counted = await one.count("mallory", THERE)
            assert isinstance(counted, Counted)
            await one.forgive(counted, "mallory", THERE)
    assert isinstance(await one.count("name x", THERE), float)


async def test_a_day_later_it_is_forgotten(processes: list[Throttle], databases: list[Database]):
    one, _ = processes
    await fail(one, FREE_TRIES_OF_NAME)
    await later(databases[0], 25 * 3600)
    await fail(one, FREE_TRIES_OF_NAME)


async def test_what_was_typed_isnt_kept(processes: list[Throttle], databases: list[Database]):
    """People may type their password into the field for the name."""
    await fail(processes[0], 1, "hunter2hunter2")

    def everything(connection: sa.Connection) -> str:
        return str(connection.execute(sa.select(sign_in_tries)).all())

    rows = await databases[0].read(everything)
    assert THERE in rows
    assert "hunter2" not in rows


def test_waits_double_up_to_a_limit():
    assert [wait_after(failures, 5) for failures in (1, 4, 5, 6, 7)] == [0, 0, 5, 10, 20]
    assert wait_after(10**9, 5) == LONGEST_WAIT_SECONDS


@pytest.mark.parametrize(
    ("client", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("127.0.0.1", None),
        ("::1", None),
        ("::ffff:127.0.0.1", None),
        ("", None),
        (None, None),
        ("testclient", None),
        ("203.0.113.7\nforged", None),
    ],
)
def test_what_counts_as_one_address(client: str | None, address: str | None):
    assert address_of(client) == address
