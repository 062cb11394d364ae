"""A PostgreSQL that restarts frees every lock; no living worker is taken for dead for that."""

from __future__ import annotations

import asyncio
import logging
import time

import pytest

from database.liveness import GRACE_SECONDS, HEARTBEAT_SECONDS, liveness_of
from tests.support.living_processes import dead_at_last, kill, workers
from tests.support.postgres import PostgresServer, fresh_database, start, stop

# Two heartbeats.
GRACE = 2.0


async def test_the_living_survive_a_restart_of_postgresql(
    restartable: PostgresServer, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    url = fresh_database(restartable)
    at_once = liveness_of(url, grace_seconds=0)
    patient = liveness_of(url, grace_seconds=GRACE)
    own = liveness_of(url)
    await own.hold("own")
    with workers(url, "living", "doomed") as (_, doomed):
        ids = ["living", "doomed", "own"]
        await asyncio.to_thread(stop, restartable, "immediate")
        kill(doomed)
        # Several looks, for longer than the grace: none is dead while the server is away.
        for _ in range(3):
            assert await at_once.dead(ids) == await patient.dead(ids) == set()
            await asyncio.sleep(GRACE / 3)
        await asyncio.to_thread(start, restartable)
        back = time.monotonic()
        # Their locks are gone with the old server, yet no worker counts as dead.
        while "living" in await at_once.dead(ids) or "own" in await at_once.dead(ids):
            assert await patient.dead(ids) == set()
            await asyncio.sleep(0.05)
        assert time.monotonic() - back < 2
        assert await dead_at_last(patient, *ids) == {"doomed"}
        assert time.monotonic() - back >= GRACE
    await own.release()
    logged = [each.getMessage() for each in caplog.records if "database.liveness" in each.name]
    assert len(logged) == 2
    assert logged[1] == "This process is known to be alive again."


async def test_seen_free_before_a_restart_counts_for_nothing(restartable: PostgresServer):
    url = fresh_database(restartable)
    watcher = liveness_of(url, grace_seconds=0.5)
    assert await watcher.dead(["late"]) == set()
    await asyncio.to_thread(stop, restartable)
    await asyncio.sleep(0.6)
    await asyncio.to_thread(start, restartable)
    assert await watcher.dead(["late"]) == set()


async def test_holding_waits_for_a_server_that_is_away(restartable: PostgresServer):
    url = fresh_database(restartable)
    liveness = liveness_of(url)
    await asyncio.to_thread(stop, restartable)
    holding = asyncio.create_task(liveness.hold("early"))
    await asyncio.sleep(0.2)
    assert not holding.done()
    await asyncio.to_thread(start, restartable)
    await asyncio.wait_for(holding, 5)
    assert await liveness_of(url, grace_seconds=0).dead(["early"]) == set()
    await liveness.release()


def test_the_grace_outlasts_many_heartbeats():
    assert GRACE_SECONDS >= 10 * HEARTBEAT_SECONDS
