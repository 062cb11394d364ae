"""Workers share a PostgreSQL; one dies for good, or the server goes away: all is sent once."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from multiprocessing.process import BaseProcess

import psycopg
import pytest

from bench.simulator_process import running
from tests.support.crash_judge import Simulation, complaints
from tests.support.crash_plan import plan_from
from tests.support.crash_runner import begin, end, history_of
from tests.support.crash_sender import Life
from tests.support.postgres import PostgresServer, fresh_database, start, stop

SPEED = 50
# So that there is a middle to die in.
SLOW = {"kind": "slow", "method": "POST", "rate": 1, "seconds": 0.3}
ENOUGH = 40
TAKEOVER_SECONDS = 15
# For the work itself, after the takeover.
SECONDS_TO_FINISH = 20


@dataclass(frozen=True)
class Scene:
    """Two workers, and a page that sends and hands over to them."""

    life: Life
    simulation: Simulation
    workers: list[BaseProcess]
    page: BaseProcess

    async def until_in_the_middle(self) -> None:
        """Until Twilio has some of the alerts."""
        async with asyncio.timeout(30):
            while sum(self.simulation.accepted().values()) < ENOUGH:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def until_all_is_over(self, seconds: float) -> None:
        """Until the page has seen each alert's end."""
        await asyncio.to_thread(self.page.join, seconds)
        assert self.page.exitcode == 0, f"not over after {seconds:.0f} s: {self.page.exitcode}"

    async def complaints(self) -> list[str]:
        """Whatever isn't right."""
        history = await history_of(self.life)
        return complaints(self.simulation, self.life.requests, history)


@asynccontextmanager
async def scene(server: PostgresServer, seed: int) -> AsyncIterator[Scene]:
    """A scene in which 200 alerts are on their way."""
    with running(SPEED) as simulator:
        requests = plan_from(seed, faulty=False).requests
        life = Life(fresh_database(server), simulator.address, requests=requests)
        simulation = Simulation(life.simulator, life.account_sid)
        simulation.order([SLOW])
        worker = replace(life, requests=(), mode="worker", stays=True)
        processes = [begin(worker), begin(worker)]
        try:
            await _until_there(life.database_url, workers=2)
            processes.append(begin(life))
            yield Scene(life, simulation, processes[:2], processes[2])
        finally:
            for process in processes:
                end(process)


async def test_a_worker_that_is_killed_is_replaced_by_the_other(postgres: PostgresServer):
    async with scene(postgres, seed=1) as on_stage:
        await on_stage.until_in_the_middle()
        busy = _process_ids(on_stage.life.database_url, "status = 'PENDING'")
        victim = next(each for each in on_stage.workers if each.pid in busy)
        end(victim)
        killed = time.monotonic()
        left = _pending(on_stage.life.database_url, victim)
        assert left, "it died with nothing to do"
        async with asyncio.timeout(TAKEOVER_SECONDS):
            while _pending(on_stage.life.database_url, victim):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        print(f"taken over after {time.monotonic() - killed:.1f} s")
        await on_stage.until_all_is_over(SECONDS_TO_FINISH)
        print(f"over after {time.monotonic() - killed:.1f} s")
        assert await on_stage.complaints() == []
        # The page never delivers itself.
        pids = {worker.pid for worker in on_stage.workers}
        assert _process_ids(on_stage.life.database_url, "true") <= pids


@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_the_server_is_stopped_and_started_again(postgres: PostgresServer, mode: str):
    async with scene(postgres, seed=2) as on_stage:
        await on_stage.until_in_the_middle()
        await asyncio.to_thread(stop, postgres, mode)
        try:
            await asyncio.sleep(1)
        finally:
            await asyncio.to_thread(start, postgres)
        await on_stage.until_all_is_over(SECONDS_TO_FINISH)
        assert await on_stage.complaints() == []


def _pending(database_url: str, process: BaseProcess) -> list[str]:
    """The workflows that a process was carrying out."""
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT workflow_uuid FROM dbos.workflow_status"
            " WHERE status = 'PENDING' AND executor_id LIKE %s",
            [f"%-{process.pid}-%"],
        )
        return [row[0] for row in rows]


def _process_ids(database_url: str, condition: str) -> set[int]:
    """The processes that carry out such workflows."""
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            f"SELECT DISTINCT executor_id FROM dbos.workflow_status WHERE {condition}".encode()  # noqa: S608
        ).fetchall()
    return {int(found[1]) for (each,) in rows if (found := re.search(r"-(\d+)-[0-9a-f]+$", each))}


async def _until_there(database_url: str, workers: int) -> None:
    async with asyncio.timeout(30):
        while _signed_on(database_url) < workers:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


def _signed_on(database_url: str) -> int:
    with psycopg.connect(database_url) as connection:
        try:
            [(count,)] = connection.execute("SELECT count(*) FROM executors WHERE role = 'worker'")
        except psycopg.errors.UndefinedTable:
            return 0
    return int(count)
