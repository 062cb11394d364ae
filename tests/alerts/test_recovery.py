"""Alerts that no process delivers any more are found and delivered, whatever the reason."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from alerts import Alert, Desk, delivery, worker
from alerts.alert import NewAlert
from alerts.claims import Claims
from alerts.history import History
from alerts.steps.waiting import wait_until_due
from alerts.tables import alerts, workers
from simulator import SIMULATOR_ACCOUNT_SID, SIMULATOR_FROM_NUMBER
from tests.support.desks import (
    CALL,
    TEXT,
    database_in,
    posts,
    simulated_desk,
    until_over,
    worker_of,
)
from tests.support.direct_sql import column, execute
from tests.support.failing_services import HangingStorage
from tests.support.waiting import until

ELSEWHERE = "+14125550123"


@pytest.fixture(autouse=True)
def quick_recoveries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "SECONDS_BETWEEN_RECOVERIES", 0.1)
    monkeypatch.setattr(worker, "HEARTBEAT_SECONDS", 0.1)


async def known_workers(desk: Desk) -> list[str]:
    return await column(desk.services.database_url, sa.select(workers.c.id))


async def claim_by(desk: Desk, worker_id: str) -> None:
    """Save an alert that this worker has claimed."""
    await (await desk.history()).add([NewAlert("orphan", TEXT, SIMULATOR_FROM_NUMBER)])
    claimed = sa.update(alerts).where(alerts.c.id == "orphan").values(claimed_by=worker_id)
    await execute(desk.services.database_url, claimed)


async def test_a_living_process_that_was_forgotten_is_known_again(tmp_path: Path):
    async with simulated_desk(tmp_path) as desk:
        await desk.open()
        [known] = await known_workers(desk)
        await execute(desk.services.database_url, sa.delete(workers))
        async with asyncio.timeout(10):
            while not (again := await known_workers(desk)):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert again == [known]


async def test_what_a_process_left_that_others_had_forgotten(tmp_path: Path):
    """The alert is claimed by a worker that isn't known any more."""
    async with simulated_desk(tmp_path, HangingStorage()) as desk:
        [left] = await desk.send_all([CALL])
        storage = desk.services.storage
        assert isinstance(storage, HangingStorage)
        await until(lambda: storage.is_asked)
    url = database_in(tmp_path)
    await execute(url, sa.update(alerts).values(claimed_by="gone"))
    assert await column(url, sa.select(workers.c.id)) == []
    async with simulated_desk(tmp_path) as desk:
        await desk.open()
        assert (await until_over(desk, left.id)).status == "completed"
        assert len(posts(desk)) == 1


async def test_what_a_dead_process_left(tmp_path: Path):
    """The worker is known but hasn't been seen for long."""
    async with simulated_desk(tmp_path) as desk:
        await desk.open()
        dead = {
            "id": "dead",
            "account_sid": SIMULATOR_ACCOUNT_SID,
            "mode": "worker",
            "started_at": 0,
        }
        await execute(desk.services.database_url, sa.insert(workers).values(dead))
        await claim_by(desk, "dead")
        assert (await until_over(desk, "orphan")).status == "delivered"
        assert await known_workers(desk) == [worker_of(desk).id]
        assert len(posts(desk)) == 1


async def test_what_is_claimed_by_a_worker_that_never_was(tmp_path: Path):
    async with simulated_desk(tmp_path) as desk:
        await desk.open()
        await claim_by(desk, "never")
        assert (await until_over(desk, "orphan")).status == "delivered"
        assert len(posts(desk)) == 1


async def test_what_a_living_process_delivers_is_left_to_it(tmp_path: Path):
    async with simulated_desk(tmp_path, HangingStorage()) as desk:
        [held] = await desk.send_all([CALL])
        storage = desk.services.storage
        assert isinstance(storage, HangingStorage)
        await until(lambda: storage.is_asked)
        async with simulated_desk(tmp_path) as other:
            await other.open()
            await worker_of(other).recover()
            chosen = sa.select(alerts.c.claimed_by).where(alerts.c.id == held.id)
            assert await column(database_in(tmp_path), chosen) == [worker_of(desk).id]
            assert posts(other) == []


@pytest.mark.slow
async def test_a_claim_that_fails_strands_no_alert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    claim, claims = Claims.claim, 0

    async def fail_once(self: Claims, worker_id: str, most: int):
        nonlocal claims
        claims += 1
        if claims == 1:
            raise RuntimeError("a defect")
        return await claim(self, worker_id, most)

    monkeypatch.setattr(Claims, "claim", fail_once)
    monkeypatch.setattr(worker, "MOST_ALERTS_UNDER_WAY", 1)
    async with simulated_desk(tmp_path) as desk:
        sent = await desk.send_all([TEXT, replace(TEXT, to=ELSEWHERE)])
        ends = [(await until_over(desk, each.id)).status for each in sent]
        assert ends == ["delivered", "delivered"]
        assert claims >= 2
        assert len(posts(desk)) == 2


async def test_a_delivery_that_fails_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Also a delivery that fails outside of a try."""
    monkeypatch.setattr(delivery, "REDELIVERY_WAIT_SECONDS", 0.01)
    waits = 0

    async def fail_once(history: History, claims: Claims, alert: Alert) -> Alert | None:
        nonlocal waits
        waits += 1
        if waits == 1:
            raise RuntimeError("a defect")
        return await wait_until_due(history, claims, alert)

    monkeypatch.setattr(delivery, "wait_until_due", fail_once)
    async with simulated_desk(tmp_path) as desk:
        sent = await desk.send(TEXT)
        assert (await until_over(desk, sent.id)).status == "delivered"
        assert waits > 1
        assert len(posts(desk)) == 1
