"""Submissions whose process died or stood still: others settle them, and one request is made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from alerts import Desk, Event
from alerts.history import History
from alerts.services import RetryPolicy, Services
from alerts.status import Status
from alerts.steps import placing
from alerts.steps.placing import RequestLimits, place
from alerts.steps.reconciling import bar_from_sending, reconcile
from alerts.submissions import Submission
from alerts.tables import submissions
from database.database import Database
from tests.support.desks import (
    CALL,
    database_in,
    desk_at,
    posts,
    simulated_desk,
    until_over,
)
from tests.support.direct_sql import column
from tests.support.failing_services import (
    FailingConnections,
    asked_for,
    failing_twilio,
    simulated_twilio,
)

ELSEWHERE = "+14125550123"


async def outcomes_of(desk: Desk, alert_id: str) -> Sequence[str | None]:
    chosen = sa.select(submissions.c.outcome).where(submissions.c.alert_id == alert_id)
    return await column(desk.services.database_url, chosen)


@pytest.mark.parametrize(
    ("asks", "outcome"), [(False, "never arrived"), (True, "placed")], ids=["never sent", "sent"]
)
async def test_what_an_alert_left_that_is_over(tmp_path, asks, outcome):
    """The recipient acknowledged an earlier call while the next one was being requested."""
    database: dict[str, Any] = {"database_url": database_in(tmp_path)}
    hanging = FailingConnections(lambda number, form: form["To"] == CALL.to, hangs=True, asks=asks)
    async with simulated_twilio() as (simulator, url), hanging:
        async with desk_at(url, twilio=failing_twilio(url, hanging), **database) as desk:
            [left, _] = await desk.send_all([CALL, replace(CALL, to=ELSEWHERE)])
            history = await desk.history()
            await history.until(left.id, lambda alert: alert.status is Status.SENDING, 10)
            while not hanging.failed:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            pressed = Event(datetime.now(UTC), Status.ACKNOWLEDGED, "Pressed 1", "recipient")
            await history.record(left.id, pressed)
            assert await outcomes_of(desk, left.id) == [None]
        async with desk_at(url, **database) as desk:
            later = await desk.send(CALL)
            assert later.status == "placed"
            assert await outcomes_of(desk, left.id) == [outcome]
            alert = await desk.status(left.id)
            assert alert is not None
            assert alert.status == "acknowledged"
        assert [form["To"] for form in asked_for(simulator)].count(CALL.to) == 1 + asks


@asynccontextmanager
async def another_process(desk: Desk) -> AsyncIterator[tuple[Services, History]]:
    """The services and the history of another process, on the same database."""
    database = Database(desk.services.database_url.get_secret_value())
    await database.open()
    history = History(database, desk.services.twilio.account_sid)
    try:
        yield desk.services, history
    finally:
        await history.close()
        await database.close()


@asynccontextmanager
async def standing_still(desk: Desk, go_on: asyncio.Event) -> AsyncIterator[str]:
    """A call whose submission is saved but not made before the block ends; yields its id."""
    sending = asyncio.create_task(desk.send(replace(CALL, id="still")))
    history = await desk.history()
    await history.until("still", lambda alert: alert.status is Status.SENDING, 10)
    yield "still"
    go_on.set()
    assert (await asyncio.wait_for(sending, 10)).sid


@pytest.fixture
def go_on(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """The first request is made only when this is set, and its submission counts as old then."""
    renew, may_go_on, usual = History.renew, asyncio.Event(), placing.RENEW_SUBMISSIONS_OLDER_THAN

    async def first_waits(self: History, submission: Submission, at: datetime) -> Any:
        if usual != placing.RENEW_SUBMISSIONS_OLDER_THAN:
            monkeypatch.setattr(placing, "RENEW_SUBMISSIONS_OLDER_THAN", usual)
            await may_go_on.wait()
            at = datetime.now(UTC)
        return await renew(self, submission, at)

    monkeypatch.setattr(History, "renew", first_waits)
    monkeypatch.setattr(placing, "RENEW_SUBMISSIONS_OLDER_THAN", timedelta(0))
    return may_go_on


async def test_only_one_of_two_processes_renews(tmp_path, go_on):
    async with (
        simulated_desk(tmp_path) as desk,
        standing_still(desk, go_on) as alert_id,
        another_process(desk) as (_, history),
    ):
        alert = await history.get(alert_id)
        assert alert is not None
        known = await history.unsettled(alert)
        assert known is not None
        later = known.at + timedelta(seconds=1)
        renewed = await history.renew(known, later)
        assert renewed == await history.unless_settled(known) == replace(known, at=later)
        assert await history.renew(known, later) is not None  # the answer may have been lost
        assert await history.renew(known, later + timedelta(seconds=1)) is None
        # As if the first process had done all that.
        assert await history.renew(renewed, known.at) is not None


async def test_the_process_makes_it_while_another_looks(tmp_path, go_on):
    """It lives after all. The other one waits until that request would be over too."""
    patience = RetryPolicy(request_seconds=2, listing_seconds=0.5)
    async with simulated_desk(tmp_path, retry_policy=patience) as desk:
        async with another_process(desk) as (services, history):
            async with standing_still(desk, go_on) as alert_id:
                alert = await history.get(alert_id)
                assert alert is not None
                known = await history.unsettled(alert)
                assert known is not None
                looking = asyncio.create_task(reconcile(services, history, known, inherited=True))
                await asyncio.sleep(1.5)
                assert not looking.done()
            assert not await asyncio.wait_for(looking, 20)
        assert await outcomes_of(desk, alert_id) == ["placed"]
        assert len(posts(desk)) == 1


async def test_another_process_made_it_meanwhile(tmp_path, go_on):
    async with simulated_desk(tmp_path) as desk:
        async with (
            standing_still(desk, go_on) as alert_id,
            another_process(desk) as (services, history),
        ):
            assert posts(desk) == []
            limits = RequestLimits(services)
            alert = await history.get(alert_id)
            assert alert is not None
            await place(services, history, limits, alert)
            assert len(posts(desk)) == 1
        alert = await until_over(desk, alert_id)
        assert alert.status == "completed"
        assert await outcomes_of(desk, alert_id) == ["never arrived", "placed"]
        assert len(posts(desk)) == 1


async def test_another_process_settled_it_and_then_died(tmp_path, go_on):
    async with simulated_desk(tmp_path) as desk:
        async with (
            standing_still(desk, go_on) as alert_id,
            another_process(desk) as (services, history),
        ):
            alert = await history.get(alert_id)
            assert alert is not None
            request = await history.unsettled(alert)
            assert request is not None
            assert await reconcile(services, history, request, inherited=True)
            assert posts(desk) == []
        alert = await until_over(desk, alert_id)
        assert alert.status == "completed"
        assert await outcomes_of(desk, alert_id) == ["never arrived", "placed"]
        assert len(posts(desk)) == 1


async def test_another_process_finds_out_during_an_emergency_stop(tmp_path, go_on):
    """No process may make the request any more, so it never arrived, and the alert is canceled."""
    policy = RetryPolicy(request_seconds=0.1, listing_seconds=0.1)
    async with (
        simulated_desk(tmp_path, retry_policy=policy) as desk,
        another_process(desk) as (services, history),
    ):
        [sent] = await desk.send_all([CALL])
        alert = await history.until(sent.id, lambda alert: alert.status is Status.SENDING, 10)
        known = await history.unsettled(alert)
        assert known is not None
        await desk.stop_everything()
        assert await asyncio.wait_for(reconcile(services, history, known, inherited=True), 20)
        assert await outcomes_of(desk, sent.id) == ["never arrived"]
        go_on.set()
        assert (await until_over(desk, sent.id)).status == "canceled"
        assert posts(desk) == []


async def test_a_process_renews_just_before_an_emergency_stop(tmp_path, go_on):
    """Then it makes the request, so another process that looks can't take it over."""
    async with (
        simulated_desk(tmp_path) as desk,
        another_process(desk) as (_, history),
    ):
        [sent] = await desk.send_all([CALL])
        alert = await history.until(sent.id, lambda alert: alert.status is Status.SENDING, 10)
        known = await history.unsettled(alert)
        assert known is not None
        later = known.at + timedelta(seconds=1)
        renewed = await history.renew(known, later)
        assert renewed is not None
        assert not await bar_from_sending(history, known, later + timedelta(seconds=1))
        await desk.stop_everything()
        assert not await bar_from_sending(history, known, later + timedelta(seconds=1))
        assert await bar_from_sending(history, renewed, later + timedelta(seconds=1))
        go_on.set()


async def test_no_other_process_touched_it(tmp_path, go_on):
    """The request is made, however long its process stood still."""
    async with simulated_desk(tmp_path) as desk:
        async with standing_still(desk, go_on) as alert_id:
            pass
        assert await outcomes_of(desk, alert_id) == ["placed"]
        assert len(posts(desk)) == 1
