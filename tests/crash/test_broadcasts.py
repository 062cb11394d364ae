"""A broadcast to many people is killed five times: each of them is told exactly once."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from alerts import AlertRequest
from alerts.broadcast import with_ids
from alerts.tables import alerts
from bench.simulator_process import running
from tests.support.crash_judge import Simulation, complaints
from tests.support.crash_plan import Death
from tests.support.crash_runner import history_of, run_until_dead
from tests.support.crash_sender import RETRY_POLICY, SenderTask
from tests.support.direct_sql import column

# `make soak` and CI, which name SEEDS, have more.
PEOPLE = 500 if "SEEDS" in os.environ else 150
# Six processes, one after the other, on a machine that may run other tests.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SPEED = 50
REQUESTS = [
    AlertRequest("text", f"+1412555{2000 + place}", f"Batch {place} is off.")
    for place in range(PEOPLE)
]
# Hundreds of requests at once take long on a busy machine, and no answers are lost here.
PATIENT = replace(RETRY_POLICY, request_seconds=30)
# The first dies while the broadcast is being saved, or right before.
DEATHS = (
    Death("before a commit", 2),
    Death("after a commit", 2),
    Death("after a request", 20),
    Death("before a request", 15),
    Death("after a commit", 4),
)


async def test_each_person_is_told_once(database_url: str):
    with running(SPEED) as simulator:
        # Each process knows nothing but its list, so each sends the same broadcast again.
        task = SenderTask(
            database_url,
            simulator.address,
            requests=REQUESTS,
            broadcast="lot",
            retry_policy=PATIENT,
        )
        for death in DEATHS:
            await run_until_dead(replace(task, death=death))
            saved, open_ones = await counts(database_url)
            assert saved in {0, PEOPLE}
            assert open_ones or not saved, "it ended before it was killed"
        await run_until_dead(task)
        requests = with_ids(REQUESTS, "lot")
        simulation = Simulation(task.simulator, task.account_sid)
        history = await history_of(replace(task, requests=requests))
        assert complaints(simulation, requests, history) == []


async def counts(database_url: str) -> tuple[int, int]:
    """How many alerts are in the database, and how many of them are open."""
    are_open = await column(SecretStr(database_url), sa.select(alerts.c.is_open))
    return len(are_open), sum(are_open)
