"""Workers share a PostgreSQL; one is killed, or the server restarts: each alert is sent once."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from multiprocessing.process import BaseProcess
from pathlib import Path

import psycopg
import pytest

from bench.simulator_process import running
from tests.support.crash_judge import Simulation, complaints
from tests.support.crash_plan import ALERTS, Death, plan_from
from tests.support.crash_runner import begin, end, history_of
from tests.support.crash_sender import RETRY_POLICY, SenderTask
from tests.support.pgbouncer import pgbouncer, program
from tests.support.postgres import PostgresServer, fresh_database, start, stop

SPEED = 50
# Twilio answers slowly, so that alerts are under way when the worker dies.
SLOW = {"kind": "slow", "method": "POST", "rate": 1, "seconds": 0.3}
ENOUGH = ALERTS // 5
SECONDS_UNTIL_RECOVERED = 200
# For the remaining alerts, once those of the killed worker are recovered, also on a busy machine.
SECONDS_TO_FINISH = 300
# A living worker may be taken for dead. Its requests must then be over before they count as lost.
RETRY_POLICY_OF_SEVERAL = replace(RETRY_POLICY, request_seconds=15)
# Many processes, one after the other, on a machine that may run other tests.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@dataclass(frozen=True)
class TwoWorkers:
    """Two worker processes, and an app process (`page`) whose alerts they deliver."""

    task: SenderTask
    simulation: Simulation
    workers: list[BaseProcess]
    page: BaseProcess

    async def until_in_the_middle(self) -> None:
        """Wait until Twilio has some of the alerts."""
        await self.until(lambda: sum(self.simulation.accepted().values()) >= ENOUGH)

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so, for three minutes at most."""
        async with asyncio.timeout(180):
            while not is_so():  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def until_all_is_over(self, seconds: float) -> None:
        """Wait until the app has seen the end of each alert."""
        await asyncio.to_thread(self.page.join, seconds)
        assert self.page.exitcode == 0, f"not over after {seconds:.0f} s: {self.page.exitcode}"

    async def complaints(self) -> list[str]:
        """Everything that is wrong, in words."""
        history = await history_of(self.task)
        return complaints(self.simulation, self.task.requests, history)


@asynccontextmanager
async def two_workers(
    database_url: str, seed: int, hanging: Death | None = None
) -> AsyncIterator[TwoWorkers]:
    """Two workers, and an app that sends alerts.

    With `hanging`, the first stops as told, and the second begins only then: else it might leave
    the first too little to do.
    """
    with running(SPEED) as simulator:
        requests = plan_from(seed, faulty=False).requests
        task = SenderTask(
            database_url,
            simulator.address,
            requests=requests,
            retry_policy=RETRY_POLICY_OF_SEVERAL,
            dead_after_seconds=3,
        )
        simulation = Simulation(task.simulator, task.account_sid)
        simulation.order([SLOW])
        worker = replace(task, requests=(), mode="worker", stays=True)
        workers = [begin(replace(worker, death=hanging))]
        if hanging is None:
            workers.append(begin(worker))
        processes = [*workers]
        try:
            await _until_there(task.database_url, workers=len(workers))
            page = begin(task)
            processes.append(page)
            scene = TwoWorkers(task, simulation, workers, page)
            if hanging is not None:
                await scene.until(lambda: _state(workers[0]) == "T")
                workers.append(begin(worker))
                processes.append(workers[1])
            yield scene
        finally:
            for process in processes:
                end(process)


@pytest.fixture(params=["PostgreSQL", "PgBouncer"])
def address(request: pytest.FixtureRequest, postgres: PostgresServer) -> Iterator[str]:
    """The address of a new database, direct or through a pooler of transactions."""
    url = fresh_database(postgres)
    if request.param == "PostgreSQL":
        yield url
        return
    if program() is None and "REQUIRE_PGBOUNCER" not in os.environ:
        pytest.skip("PgBouncer isn't installed")
    with pgbouncer(postgres) as port:
        name = url.split("/")[3].split("?")[0]
        yield f"postgresql://postgres@127.0.0.1:{port}/{name}"


async def test_a_worker_that_is_killed_is_replaced_by_the_other(address: str):
    async with two_workers(address, seed=1) as scene:
        await scene.until_in_the_middle()
        url = scene.task.database_url
        victim = next(each for each in scene.workers if _under_way(url, each))
        end(victim)
        killed = time.monotonic()
        assert _under_way(url, victim), "it died with nothing to do"
        async with asyncio.timeout(SECONDS_UNTIL_RECOVERED):
            while _under_way(url, victim):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        print(f"recovered after {time.monotonic() - killed:.1f} s")
        await scene.until_all_is_over(SECONDS_TO_FINISH)
        print(f"over after {time.monotonic() - killed:.1f} s")
        assert await scene.complaints() == []
        # The app never delivered any.
        pids = {worker.pid for worker in scene.workers}
        assert _delivering_processes(url) <= pids


async def test_a_worker_that_hangs_is_replaced_and_sends_nothing_twice_when_it_goes_on(
    postgres: PostgresServer,
):
    hanging = Death("after a request", ENOUGH, hangs=True)
    async with two_workers(fresh_database(postgres), seed=3, hanging=hanging) as scene:
        process = scene.workers[0]
        assert process.pid is not None
        url = scene.task.database_url
        assert _under_way(url, process), "it hangs with nothing to do"
        try:
            await scene.until_all_is_over(SECONDS_TO_FINISH)
        finally:
            os.kill(process.pid, signal.SIGCONT)
        # It counts as alive again, and has done what it still wanted to do.
        await scene.until(lambda: _known_workers(url) == 2)
        await scene.until(lambda: not _under_way(url, process))
        assert await scene.complaints() == []


@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_the_server_is_stopped_and_started_again(postgres: PostgresServer, mode: str):
    async with two_workers(fresh_database(postgres), seed=2) as scene:
        await scene.until_in_the_middle()
        await asyncio.to_thread(stop, postgres, mode)
        try:
            await asyncio.sleep(1)
        finally:
            await asyncio.to_thread(start, postgres)
        await scene.until_all_is_over(SECONDS_TO_FINISH)
        assert await scene.complaints() == []


def _state(process: BaseProcess) -> str:
    """The state of a process in a letter: T if it was stopped. See proc(5)."""
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(") ")[2][0]


def _under_way(database_url: str, process: BaseProcess) -> list[str]:
    """The alerts that a process has claimed and that are still open."""
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT id FROM alerts WHERE is_open AND claimed_by LIKE %s", [f"%-{process.pid}-%"]
        )
        return [row[0] for row in rows]


def _delivering_processes(database_url: str) -> set[int]:
    """The processes that have claimed alerts."""
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT DISTINCT claimed_by FROM alerts WHERE claimed_by IS NOT NULL"
        ).fetchall()
    return {int(found[1]) for (each,) in rows if (found := re.search(r"-(\d+)-[0-9a-f]+$", each))}


async def _until_there(database_url: str, workers: int) -> None:
    async with asyncio.timeout(30):
        while _known_workers(database_url) < workers:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


def _known_workers(database_url: str) -> int:
    with psycopg.connect(database_url) as connection:
        try:
            [(count,)] = connection.execute("SELECT count(*) FROM workers WHERE mode = 'worker'")
        except psycopg.errors.UndefinedTable:
            return 0
    return int(count)
