"""A process is killed again and again, and Twilio fails: each alert is sent exactly once.

Everything is drawn from a seed. `SEEDS=500` runs more of them (`make soak`), and
`FIRST_SEED=17 SEEDS=1` runs one again.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from bench.simulator_process import running
from tests.support.crash_plan import Plan, plan_from
from tests.support.crash_runner import carry_out
from tests.support.crash_sender import SenderTask

FIRST_SEED = int(os.environ.get("FIRST_SEED", "0"))
SEEDS = range(FIRST_SEED, FIRST_SEED + int(os.environ.get("SEEDS", "20")))
# Plans mostly wait, so several run at the same time.
AT_ONCE = 5
SPEED = 50


@pytest.mark.parametrize("first", SEEDS[::AT_ONCE])
async def test_no_alert_is_lost_or_sent_twice(first, tmp_path):
    seeds = [seed for seed in SEEDS if first <= seed < first + AT_ONCE]
    plans = [plan_from(seed, faulty=seed % 2 == 1) for seed in seeds]
    wrong = await asyncio.gather(*(_carry_out(plan, tmp_path) for plan in plans))
    assert {plan.seed: each for plan, each in zip(plans, wrong, strict=True) if each} == {}


async def test_this_finds_alerts_that_are_sent_twice(tmp_path):
    """A program that repeats requests without looking them up must fail the test above."""
    plan = plan_from(1, faulty=True)
    lost_answers = {"kind": "drop-after", "method": "POST", "rate": 0.2}
    plan = replace(plan, faults=(lost_answers,), deaths=plan.deaths[:1])
    wrong = await _carry_out(plan, tmp_path, never_looks=True)
    assert [each for each in wrong if "was accepted 2 times instead of 1" in each]


async def _carry_out(plan: Plan, folder: Path, *, never_looks: bool = False) -> list[str]:
    with running(SPEED) as simulator:
        database_url = f"sqlite:///{folder / f'callboard-{plan.seed}.sqlite'}"
        task = SenderTask(database_url, simulator.address, never_looks=never_looks)
        return await carry_out(plan, task)
