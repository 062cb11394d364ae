"""One life after the other, until all is sent."""

from __future__ import annotations

import asyncio
import multiprocessing
from dataclasses import replace
from multiprocessing.process import BaseProcess

from alerts import Alert
from alerts.history import History
from database.database import Database
from tests.support.crash_judge import Simulation, complaints
from tests.support.crash_plan import Plan
from tests.support.crash_sender import Life, live

# From a process that has imported everything and started nothing, lives begin at once.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.support.crash_sender"])
SECONDS_OF_A_LIFE = 40


def begin(life: Life) -> BaseProcess:
    """A process that lives this life."""
    process = FORKS.Process(target=live, args=(life,), daemon=True)
    process.start()
    return process


def end(process: BaseProcess) -> None:
    """SIGKILL."""
    process.kill()
    process.join()


async def live_until_dead(life: Life) -> None:
    """A life up to its end, natural or not."""
    process, death = begin(life), life.death
    killed = death is not None and death.moment == "after a while"
    try:
        seconds = death.count if death and killed else SECONDS_OF_A_LIFE
        await asyncio.to_thread(process.join, seconds)
        assert killed or process.exitcode is not None, "it goes on and on"
    finally:
        end(process)
    if death is None or death.moment == "closed":
        # An exception ends it with 1; 255 is what multiprocessing says where it couldn't learn it.
        assert process.exitcode in {0, 255}, f"ended with {process.exitcode}"


async def carry_out(plan: Plan, life: Life) -> list[str]:
    """Carry a plan out; what isn't right at its end, in words."""
    simulation = Simulation(life.simulator, life.account_sid)
    simulation.order(plan.faults)
    life = replace(life, requests=plan.requests, alone=plan.alone)
    for death in (*plan.deaths, None):
        await live_until_dead(replace(life, death=death))
    simulation.clear()
    return complaints(simulation, plan.requests, await history_of(life))


async def history_of(life: Life) -> dict[str, Alert]:
    """What the history says of each alert of a life."""
    database = Database(life.database_url)
    await database.open()
    try:
        history = History(database, life.account_sid, 1)
        return await history.get_all([str(each.id) for each in life.requests])
    finally:
        await database.close()
