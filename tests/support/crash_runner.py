"""Runs one process after another that sends and dies, until everything is sent."""

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

# Senders are forks of a process that has imported everything already, so they start at once.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.support.crash_sender"])
# Only a process that hangs takes this long, also on a busy machine.
LONGEST_SECONDS = 400


def begin(task: SenderTask) -> BaseProcess:
    """Start a process that does the task."""
    process = FORKS.Process(target=run, args=(task,), daemon=True)
    process.start()
    return process


def end(process: BaseProcess) -> None:
    """End a process with SIGKILL."""
    process.kill()
    process.join()


async def run_until_dead(task: SenderTask) -> None:
    """Do the task in a process, and wait until that has finished or died."""
    process, death = begin(task), task.death
    killed = death is not None and death.moment == "after a while"
    try:
        seconds = death.count if death and killed else LONGEST_SECONDS
        await asyncio.to_thread(process.join, seconds)
        assert killed or process.exitcode is not None, "the process doesn't end"
    finally:
        end(process)
    if death is None or death.moment == "closed":
        # An exception ends it with 1; multiprocessing says 255 if it couldn't learn the status.
        assert process.exitcode in {0, 255}, f"ended with {process.exitcode}"


async def carry_out(plan: Plan, task: SenderTask) -> list[str]:
    """Carry out a plan; returns what is wrong at its end, in words."""
    simulation = Simulation(task.simulator, task.account_sid)
    simulation.order(plan.faults)
    task = replace(task, requests=plan.requests, alone=plan.alone)
    for death in (*plan.deaths, None):
        await run_until_dead(replace(task, death=death))
    simulation.clear()
    return complaints(simulation, plan.requests, await history_of(task))


async def history_of(task: SenderTask) -> dict[str, Alert]:
    """Read the alerts of a task from the history, by id."""
    database = Database(task.database_url)
    await database.open()
    try:
        history = History(database, task.account_sid)
        return await history.get_all([str(each.id) for each in task.requests])
    finally:
        await database.close()
