"""One process after the other sends and dies, until all is sent."""

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
from tests.support.crash_sender import SenderTask, run

# From a process that has imported everything and started nothing, senders start at once.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.support.crash_sender"])
LONGEST_SECONDS = 40


def begin(task: SenderTask) -> BaseProcess:
    """A process that does this."""
    process = FORKS.Process(target=run, args=(task,), daemon=True)
    process.start()
    return process


def end(process: BaseProcess) -> None:
    """SIGKILL."""
    process.kill()
    process.join()


async def run_until_dead(task: SenderTask) -> None:
    """Do this in a process, up to its end, natural or not."""
    process, death = begin(task), task.death
    killed = death is not None and death.moment == "after a while"
    try:
        seconds = death.count if death and killed else LONGEST_SECONDS
        await asyncio.to_thread(process.join, seconds)
        assert killed or process.exitcode is not None, "it goes on and on"
    finally:
        end(process)
    if death is None or death.moment == "closed":
        # An exception ends it with 1; 255 is what multiprocessing says where it couldn't learn it.
        assert process.exitcode in {0, 255}, f"ended with {process.exitcode}"


async def carry_out(plan: Plan, task: SenderTask) -> list[str]:
    """Carry a plan out; what isn't right at its end, in words."""
    simulation = Simulation(task.simulator, task.account_sid)
    simulation.order(plan.faults)
    task = replace(task, requests=plan.requests, alone=plan.alone)
    for death in (*plan.deaths, None):
        await run_until_dead(replace(task, death=death))
    simulation.clear()
    return complaints(simulation, plan.requests, await history_of(task))


async def history_of(task: SenderTask) -> dict[str, Alert]:
    """What the history says of each alert of a sender."""
    database = Database(task.database_url)
    await database.open()
    try:
        history = History(database, task.account_sid, 1)
        return await history.get_all([str(each.id) for each in task.requests])
    finally:
        await database.close()
