"""Alerts that are without anybody, for whatever reason, are found and delivered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import sqlalchemy as sa
from dbos import DBOS

from alerts import Desk, takeover
from alerts import worker as engine
from alerts.tables import NewAlert, workers
from alerts.worker import Engine
from database.connecting import engine_for, parsed
from simulator import SIMULATOR_FROM_NUMBER
from tests.support.desks import CALL, TEXT, database_in, posts, simulated_desk, until, until_over
from tests.support.failing_services import HangingStorage

ELSEWHERE = "+14125550123"


@pytest.fixture(autouse=True)
def quick_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "SECONDS_BETWEEN_TAKEOVERS", 0.1)


def engine_of(desk: Desk) -> Engine:
    house = desk.warm_up().result()
    assert house._engine is not None
    return house._engine


async def signed_on(desk: Desk) -> Sequence[str]:
    history = await desk.history()
    return await history.read(lambda connection: connection.scalars(sa.select(workers.c.id)).all())


async def searched(desk: Desk) -> None:
    """Open it, and wait until it has done with searching as it does at the beginning."""
    await desk.open()
    await until(lambda: engine_of(desk)._takeover._searches_left == 0)


async def test_a_living_process_that_was_signed_off_is_known_again(tmp_path):
    async with simulated_desk(tmp_path) as desk:
        await desk.open()
        [known] = await signed_on(desk)
        await (await desk.history()).write(
            lambda connection: connection.execute(sa.delete(workers))
        )
        again: Sequence[str] = []
        while not again:
            again = await signed_on(desk)
        assert again == [known]


async def test_what_a_process_left_whom_others_had_signed_off(tmp_path):
    """Its workflow is said to be under way, by an executor that nobody looks after."""
    async with simulated_desk(tmp_path, HangingStorage()) as desk:
        [left] = await desk.send_all([CALL])
        storage = desk.services.storage
        assert isinstance(storage, HangingStorage)
        await until(lambda: storage.is_asked)
    made = engine_for(parsed(database_in(tmp_path).get_secret_value()), None)
    with made.begin() as connection:
        connection.execute(sa.delete(workers))
        under_way = sa.text("SELECT status FROM workflow_status")
        assert connection.scalars(under_way).all() == ["PENDING"]
    made.dispose()
    async with simulated_desk(tmp_path) as desk:
        await desk.open()
        assert (await until_over(desk, left.id)).status == "completed"
        assert len(posts(desk)) == 1


async def test_it_is_searched_now_and_then_without_a_reason(tmp_path, monkeypatch):
    monkeypatch.setattr(takeover, "SECONDS_BETWEEN_SEARCHES", 0.3)
    async with simulated_desk(tmp_path) as desk:
        await searched(desk)
        orphan = NewAlert("orphan", desk._normalized(TEXT), SIMULATOR_FROM_NUMBER, "gone")
        await (await desk.history()).add([orphan])
        assert (await until_over(desk, "orphan")).status == "delivered"
        assert len(posts(desk)) == 1


async def test_a_workflow_that_could_not_be_started_strands_nobody(tmp_path, monkeypatch):
    async with simulated_desk(tmp_path) as desk:
        await searched(desk)
        start, starts = DBOS.start_workflow_async, 0

        async def fail_once(*arguments):
            nonlocal starts
            starts += 1
            if starts == 1:
                raise RuntimeError("a defect")
            return await start(*arguments)

        monkeypatch.setattr(DBOS, "start_workflow_async", fail_once)
        sent = await desk.send_all([TEXT, replace(TEXT, to=ELSEWHERE)])
        ends = [(await until_over(desk, each.id)).status for each in sent]
        assert ends == ["delivered", "delivered"]
        assert starts == 2
        assert len(posts(desk)) == 2
