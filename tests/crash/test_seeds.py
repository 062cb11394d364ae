"""A process is killed again and again, and Twilio fails: each alert is sent exactly once.

Everything is drawn from a seed. `SEEDS=500` runs more of them (`make soak`), and
`FIRST_SEED=17 SEEDS=1` runs one again, with `ALERTS=200` as `make soak` does. Without SEEDS there
are only as many as it takes to end a process in every way that a plan knows.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bench.simulator_process import running
from tests.support.crash_plan import MOMENTS, Plan, plan_from
from tests.support.crash_runner import carry_out
from tests.support.crash_sender import SenderTask
from tests.support.postgres import PostgresServer, fresh_database

FIRST_SEED = int(os.environ.get("FIRST_SEED", "0"))
# Many processes, one after the other, on a machine that may run other tests.
pytestmark = pytest.mark.timeout(900)


def seeds(*usual: int) -> Sequence[int]:
    """The seeds to run: as many as SEEDS says, or else the `usual`."""
    if "SEEDS" not in os.environ:
        return usual
    return range(FIRST_SEED, FIRST_SEED + int(os.environ["SEEDS"]))


SEEDS = seeds(7, 8)
POSTGRES_SEEDS = seeds(22, 23)
# Plans mostly wait, so several run at the same time.
AT_ONCE = 5
SPEED = 50


def together(some: Sequence[int], most: int) -> list[Sequence[int]]:
    """Cut seeds into pieces of `most` each, which run at the same time."""
    return [some[first : first + most] for first in range(0, len(some), most)]


@pytest.mark.skipif("SEEDS" in os.environ, reason="other seeds are wanted")
@pytest.mark.parametrize("some", [SEEDS, POSTGRES_SEEDS])
def test_the_usual_seeds_end_processes_in_every_way(some: Sequence[int]):
    plans = [plan_from(seed, faulty=seed % 2 == 1) for seed in some]
    assert {death.moment for plan in plans for death in plan.deaths} == set(MOMENTS)
    assert {bool(plan.faults) for plan in plans} == {True, False}
    assert any(plan.alone for plan in plans)


@pytest.mark.parametrize("some", together(SEEDS, AT_ONCE), ids=str)
async def test_no_alert_is_lost_or_sent_twice(some: Sequence[int], tmp_path: Path):
    assert await _wrong(some, lambda seed: _sqlite(tmp_path, seed)) == {}


@pytest.mark.slow
@pytest.mark.parametrize("some", together(POSTGRES_SEEDS, AT_ONCE), ids=str)
async def test_the_same_on_postgresql(some: Sequence[int], postgres: PostgresServer):
    assert await _wrong(some, lambda _: fresh_database(postgres)) == {}


@pytest.mark.slow
async def test_this_finds_alerts_that_are_sent_twice(tmp_path):
    """A program that repeats requests without looking them up must fail the test above."""
    plan = plan_from(1, faulty=True)
    lost_answers = {"kind": "drop-after", "method": "POST", "rate": 0.2}
    plan = replace(plan, faults=(lost_answers,), deaths=plan.deaths[:1])
    wrong = await _carry_out(plan, _sqlite(tmp_path, plan.seed), never_looks=True)
    assert [each for each in wrong if "was accepted 2 times instead of 1" in each]


async def _wrong(seeds: Sequence[int], database_for: Callable[[int], str]) -> dict[int, list[str]]:
    """Carry out these plans at the same time; returns what went wrong, by seed."""
    plans = [plan_from(seed, faulty=seed % 2 == 1) for seed in seeds]
    wrong = await asyncio.gather(*(_carry_out(plan, database_for(plan.seed)) for plan in plans))
    return {plan.seed: each for plan, each in zip(plans, wrong, strict=True) if each}


def _sqlite(folder: Path, seed: int) -> str:
    return f"sqlite:///{folder / f'callboard-{seed}.sqlite'}"


async def _carry_out(plan: Plan, database_url: str, *, never_looks: bool = False) -> list[str]:
    with running(SPEED) as simulator:
        task = SenderTask(database_url, simulator.address, never_looks=never_looks)
        return await carry_out(plan, task)
