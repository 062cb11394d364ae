"""A process that checks a rule is killed again and again: each bad row is told exactly once.

Everything is drawn from a seed, as in test_seeds.py: `FIRST_SEED=17 SEEDS=1` runs one again.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from bench.simulator_process import running
from tests.crash.test_seeds import seeds, together
from tests.support.crash_plan import Death
from tests.support.crash_rules import (
    KEYS,
    MOMENTS,
    RULE,
    RulesTask,
    add_rows,
    begin,
    carry_out,
    plan_from,
    switch_on,
    wrong,
)
from tests.support.crash_runner import LONGEST_SECONDS, end
from tests.support.crash_sender import SenderTask
from tests.support.postgres import PostgresServer, fresh_database

# Many processes, one after the other, on a machine that may run other tests.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SEEDS = seeds(3, 7)
POSTGRES_SEEDS = seeds(1)
WORKER_SEEDS = seeds(0)
AT_ONCE = 2
SPEED = 50


@pytest.mark.skipif("SEEDS" in os.environ, reason="other seeds are wanted")
def test_the_usual_seeds_end_processes_in_every_way():
    deaths = [each for seed in (*SEEDS, *POSTGRES_SEEDS) for each in plan_from(seed).deaths]
    assert {where or death.moment for where, death in deaths} == set(MOMENTS)


@pytest.mark.parametrize("some", together(SEEDS, AT_ONCE), ids=str)
async def test_each_row_is_told_once(some: Sequence[int], tmp_path: Path):
    assert await _wrong(some, tmp_path, lambda folder: f"sqlite:///{folder / 'x.sqlite'}") == {}


@pytest.mark.parametrize("some", together(POSTGRES_SEEDS, AT_ONCE), ids=str)
async def test_the_same_on_postgresql(
    some: Sequence[int], tmp_path: Path, postgres: PostgresServer
):
    assert await _wrong(some, tmp_path, lambda _: fresh_database(postgres)) == {}


@pytest.mark.parametrize("seed", WORKER_SEEDS)
async def test_two_workers_of_which_one_dies(seed: int, tmp_path: Path, postgres: PostgresServer):
    """Both check the same rule all the time; the other one goes on."""
    plan = plan_from(seed)
    where, death = plan.deaths[0]
    if death.moment == "closed":
        death = replace(death, moment="after a while")
    with running(SPEED) as simulator:
        sender = SenderTask(
            fresh_database(postgres), simulator.address, mode="worker", dead_after_seconds=3
        )
        task = RulesTask(sender, tmp_path)
        rule = await switch_on(task, plan.rule)
        processes = [begin(replace(task, where=where, sender=replace(sender, death=death)))]
        processes.append(begin(task))
        try:
            first = 0
            for seconds, some in plan.parts:
                await asyncio.sleep(seconds)
                add_rows(tmp_path, first, some)
                first += some
            if death.moment == "after a while" and where is None:
                end(processes[0])
            await asyncio.to_thread(processes[1].join, LONGEST_SECONDS)
            assert processes[1].exitcode == 0
        finally:
            for each in processes:
                end(each)
        assert await wrong(task, rule) == []


async def test_a_worker_that_hangs_tells_nothing_twice_when_it_goes_on(
    tmp_path: Path, postgres: PostgresServer
):

    with running(SPEED) as simulator:
        sender = SenderTask(
            fresh_database(postgres), simulator.address, mode="worker", dead_after_seconds=2
        )
        task = RulesTask(sender, tmp_path)
        rule = await switch_on(task, RULE)
        # It stands still right before it would write what it has found.
        hanging = replace(sender, death=Death("after a while", 1, hangs=True))
        add_rows(tmp_path, 0, 8)
        processes = [begin(replace(task, where="after a query", sender=hanging))]
        try:
            await _until_stopped(processes[0])
            processes.append(begin(task))
            add_rows(tmp_path, 8, KEYS - 8)
            await asyncio.to_thread(processes[1].join, LONGEST_SECONDS)
            assert processes[1].exitcode == 0
            pid = processes[0].pid
            assert pid is not None
            os.kill(pid, signal.SIGCONT)
            await asyncio.to_thread(processes[0].join, LONGEST_SECONDS)
            assert processes[0].exitcode in {0, 255}
        finally:
            for each in processes:
                end(each)
        assert await wrong(task, rule) == []


async def test_this_finds_alerts_that_are_lost(tmp_path: Path):
    """A program that saves alerts apart from what they tell of must fail the tests above."""
    with running(SPEED) as simulator:
        sender = SenderTask(f"sqlite:///{tmp_path / 'x.sqlite'}", simulator.address)
        task = RulesTask(sender, tmp_path)
        rule = await switch_on(task, RULE)
        add_rows(tmp_path, 0, 8)
        defective = begin(replace(task, tells_apart=True))
        try:
            await asyncio.to_thread(defective.join, LONGEST_SECONDS)
            assert defective.exitcode not in {0, None}
        finally:
            end(defective)
        add_rows(tmp_path, 8, KEYS - 8)
        other = begin(replace(task, expected=0))
        try:
            await asyncio.to_thread(other.join, LONGEST_SECONDS)
        finally:
            end(other)
        assert [each for each in await wrong(task, rule) if "the history has no" in each]


async def _until_stopped(process: BaseProcess) -> None:
    """Wait until a process hangs."""
    async with asyncio.timeout(LONGEST_SECONDS):
        while _state(process) != "T":  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def _state(process: BaseProcess) -> str:
    """The state of a process in a letter: T if it was stopped. See proc(5)."""
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(") ")[2][0]


async def _wrong(
    some: Sequence[int], folder: Path, database_for: Callable[[Path], str]
) -> dict[int, list[str]]:
    """Carry out these plans at the same time; returns what went wrong, by seed."""

    async def one(seed: int) -> list[str]:
        own = folder / str(seed)
        own.mkdir()
        with running(SPEED) as simulator:
            sender = SenderTask(database_for(own), simulator.address)
            return await carry_out(plan_from(seed), RulesTask(sender, own))

    found = await asyncio.gather(*(one(seed) for seed in some))
    return {seed: each for seed, each in zip(some, found, strict=True) if each}
