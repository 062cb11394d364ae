"""Which workers are alive: those that said so lately, by the database's clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest
import sqlalchemy as sa

from alerts import claims
from alerts.claims import Claims, Liveness
from alerts.tables import workers
from database.database import Database

ACCOUNT = "AC1"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "DEAD_AFTER_SECONDS", 1.0)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    await opened.open()
    yield opened
    await opened.close()


async def dead(database: Database, watcher: Liveness, *claiming: str) -> set[str]:
    return await database.read(lambda connection: watcher.dead(connection, claiming))


async def until_dead(database: Database, watcher: Liveness) -> set[str]:
    async with asyncio.timeout(10):
        while not (found := await dead(database, watcher)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return found


async def shift_heartbeats(database: Database, seconds: float) -> None:
    later = sa.update(workers).values(seen_at=workers.c.seen_at + seconds)
    await database.write(lambda connection: connection.execute(later))


async def test_a_worker_that_stops_writing_is_dead(database: Database):
    quiet, talking = Liveness(database, ACCOUNT), Liveness(database, ACCOUNT)
    watcher = Liveness(database, ACCOUNT)
    began = time.monotonic()
    await quiet.beat("quiet", "worker")
    found = set[str]()
    while not found:
        await talking.beat("talking", "app")
        found = await dead(database, watcher)
    assert found == {"quiet"}
    assert time.monotonic() - began >= 1
    assert await watcher.alive() == {"talking": "app"}


@pytest.mark.parametrize("seconds", [-2, -3600, 3600])
async def test_a_process_that_has_just_started_can_judge(database: Database, seconds: float):
    """3600: written before the clock was set back by an hour."""
    await Liveness(database, ACCOUNT).beat("left", "worker")
    await shift_heartbeats(database, seconds)
    assert await dead(database, Liveness(database, ACCOUNT)) == {"left"}
    assert await Liveness(database, ACCOUNT).alive() == {}


async def test_a_worker_that_never_was_is_dead(database: Database):
    await Liveness(database, ACCOUNT).beat("known", "app")
    assert await dead(database, Liveness(database, ACCOUNT), "never", "known") == {"never"}


async def test_a_worker_that_signs_off_is_gone_at_once(database: Database):
    await Liveness(database, ACCOUNT).beat("leaving", "worker")
    await Claims(database, ACCOUNT).release({"leaving"})
    assert await Liveness(database, ACCOUNT).alive() == {}


async def test_each_account_has_its_own_workers(database: Database):
    await Liveness(database, "AC2").beat("theirs", "worker")
    await shift_heartbeats(database, -3600)
    assert await dead(database, Liveness(database, ACCOUNT)) == set()


async def test_after_an_interruption_of_its_own_a_process_judges_nobody_for_a_while(
    database: Database,
):
    """While the database was away, the others couldn't write either."""
    own = Liveness(database, ACCOUNT)
    await own.beat("own", "app")
    await Liveness(database, ACCOUNT).beat("other", "app")
    await asyncio.sleep(1.1)
    assert await dead(database, own) == set()
    await own.beat("own", "app")
    assert await dead(database, own) == set()
    beating = asyncio.create_task(keep_beating(own))
    assert await until_dead(database, own) == {"other"}
    beating.cancel()


async def keep_beating(own: Liveness) -> None:
    while True:
        await own.beat("own", "app")
        await asyncio.sleep(0.1)


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Set this machine's clock ahead, as on one of several machines that share a PostgreSQL."""

    def set_ahead(seconds: float) -> None:
        now = time.time
        monkeypatch.setattr(time, "time", lambda: now() + seconds)

    return set_ahead


async def test_on_postgresql_a_machine_may_have_the_wrong_time(
    database: Database, away: Callable[[float], None], database_url: str
):
    if not database_url.startswith("postgresql"):
        pytest.skip("SQLite is used from one machine")
    await Liveness(database, ACCOUNT).beat("right", "app")
    away(3600)
    await Liveness(database, ACCOUNT).beat("wrong", "app")
    assert await dead(database, Liveness(database, ACCOUNT)) == set()
