"""The emergency stop: nothing is sent from one moment on, in any process, until it is lifted."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from access.actor import EVERYTHING, Actor
from alerts import AlertRequest, Desk, UnusableInput
from alerts.emergency_stop import EmergencyStop, StopCounts, Stopped
from alerts.history import History
from alerts.steps import placing
from database.database import Database
from simulator import SIMULATOR_ACCOUNT_SID
from tests.support.desks import (
    CALL,
    TEXT,
    followed,
    posts,
    simulated_desk,
    until_over,
)
from tests.support.waiting import until

ANN, BEN = "+14125550142", "+14125550143"
LATER = replace(TEXT, hold_seconds=60)


def maya(desk: Desk) -> Desk:
    return desk.acting_as(Actor("Maya", EVERYTHING))


@pytest.mark.slow
async def test_everything_ends(tmp_path: Path):
    """What waits is canceled, a live call is ended, and nothing new is taken."""
    async with simulated_desk(tmp_path, speed=1) as desk:
        live = await desk.send(replace(CALL, message="A long message. " * 40))
        history = await desk.history()
        await history.until(live.id, lambda alert: alert.status == "answered", 20)
        waiting = await desk.send_all([replace(LATER, to=each) for each in (ANN, BEN)])
        assert await desk.would_stop() == StopCounts(waiting=2, live=1)
        canceled = await maya(desk).stop_everything("Wrong list")
        assert {each.id for each in canceled} == {live.id, *(each.id for each in waiting)}
        assert (await until_over(desk, live.id)).status == "canceled"
        for each in waiting:
            ended = await desk.status(each.id)
            assert ended is not None
            assert ended.status == "canceled"
            assert ended.events[-1].note == "Everything was stopped by Maya"
        stop = await desk.emergency_stop()
        assert stop is not None
        assert (stop.by, stop.reason) == ("Maya", "Wrong list")
        assert await desk.would_stop() == StopCounts()
        refused = (
            desk.send(CALL),
            desk.send_all([CALL, TEXT]),
            desk.broadcast([CALL, replace(CALL, to=ANN)], id="b"),
            desk.ask_for_approval([CALL, replace(CALL, to=ANN)]),
        )
        for asked in refused:
            with pytest.raises(Stopped) as refusal:
                await asked
            assert re.fullmatch(
                r"Maya stopped everything at \d\d:\d\d \S+ \(Wrong list\)\. "
                r"Nothing is sent until an administrator lifts that\.",
                str(refusal.value),
            )
        assert await desk.broadcast_of("b") is None


async def test_the_first_stop_counts_and_lifting_sends_nothing_old(tmp_path: Path):
    async with simulated_desk(tmp_path) as desk:
        [held] = await desk.send_all([LATER])
        await maya(desk).stop_everything()
        assert await desk.stop_everything() == []
        stop = await desk.emergency_stop()
        assert stop is not None
        assert stop.by == "Maya"
        await desk.lift_stop()
        await desk.lift_stop()
        assert await desk.emergency_stop() is None
        assert (await followed(desk, CALL)).status == "completed"
        ended = await desk.status(held.id)
        assert ended is not None
        assert ended.status == "canceled"
        assert len(posts(desk)) == 1


@pytest.mark.parametrize("reason", ["x" * 201, "two\nlines"])
async def test_a_reason_is_one_line(tmp_path: Path, reason: str):
    async with simulated_desk(tmp_path) as desk:
        with pytest.raises(UnusableInput) as problem:
            await desk.stop_everything(reason)
        assert problem.value.field == "reason"
        assert await desk.emergency_stop() is None


async def test_it_tells_what_another_process_canceled_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    cancel_all = History.cancel_all

    async def come_second(self: History) -> Any:
        await cancel_all(self)
        return await cancel_all(self)

    async with simulated_desk(tmp_path) as desk:
        held = await desk.send_all([replace(LATER, to=each) for each in (ANN, BEN)])
        monkeypatch.setattr(History, "cancel_all", come_second)
        canceled = await desk.stop_everything()
        assert {each.id for each in canceled} == {each.id for each in held}


async def stopped_only(url: str) -> None:
    """Set the stop as a process does that dies right after that."""
    database = Database(url)
    await database.open()
    history = History(database, SIMULATOR_ACCOUNT_SID)
    await history.set_stop(EmergencyStop(datetime.now(UTC), "Maya"))
    await history.close()
    await database.close()


@pytest.mark.slow
async def test_a_process_dies_in_the_middle_and_a_worker_goes_on(database_url: str, tmp_path: Path):
    url = SecretStr(database_url)
    async with simulated_desk(tmp_path, database_url=url) as desk:
        held = await desk.send_all([replace(LATER, to=each) for each in (ANN, BEN)])
        await stopped_only(database_url)
        for each in held:
            assert (await until_over(desk, each.id)).status == "canceled"
        assert posts(desk) == []


async def test_lifting_cancels_first_what_a_dead_process_left(database_url: str, tmp_path: Path):
    url = SecretStr(database_url)
    async with simulated_desk(tmp_path, database_url=url) as desk:
        [held] = await desk.send_all([replace(TEXT, hold_seconds=1)])
        await stopped_only(database_url)
        await desk.lift_stop()
        assert await desk.emergency_stop() is None
        assert (await until_over(desk, held.id)).status == "canceled"
        assert posts(desk) == []


@pytest.mark.slow
async def test_no_call_begins_after_the_stop_in_any_process(database_url: str, tmp_path: Path):
    """Two processes send as fast as they can while a third one stops everything."""
    url = SecretStr(database_url)
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(
            simulated_desk(tmp_path, database_url=url, calls_per_second=60)
        )
        shared: dict[str, Any] = {
            "database_url": url,
            "twilio": one.services.twilio,
            "simulator": one.services.simulator,
            "calls_per_second": 60,
        }
        two = await stack.enter_async_context(simulated_desk(tmp_path, **shared))
        three = await stack.enter_async_context(simulated_desk(tmp_path, **shared))
        await asyncio.gather(one.open(), two.open(), three.open())
        sent = [
            *await one.send_all([call_to(each) for each in range(60)]),
            *await two.send_all([call_to(each) for each in range(60, 120)]),
        ]
        await until(lambda: len(posts(one)) > 5)
        await maya(three).stop_everything()
        # Requests that were saved before the stop are made; none is saved after it.
        ended = [await until_over(three, each.id) for each in sent]
        stop = await three.emergency_stop()
        assert stop is not None
        began = {event.at for each in ended for event in each.events if event.status == "sending"}
        assert began
        assert max(began) <= stop.at + timedelta(seconds=1)
        made = [each for each in posts(one) if "To" in each]
        assert len(made) == len({each["To"] for each in made}) < 120
        # By whichever process was first.
        canceled = [each for each in ended if each.status == "canceled"]
        assert len(canceled) >= 120 - len(made)
        # Once each, although three processes may have canceled them.
        notes = [[event.note for event in each.events] for each in ended]
        assert all(each.count("Everything was stopped by Maya") <= 1 for each in notes)
        never_sent = [each for each in ended if each.sid is None]
        assert {each.status for each in never_sent} == {"canceled"}


def call_to(number: int) -> AlertRequest:
    return replace(CALL, to=f"+1412555{1000 + number}")


async def test_a_request_that_stood_still_is_not_made_after_the_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Its submission was saved before, but the process went on only long after that."""
    renewing, renew = asyncio.Event(), History.renew

    async def renew_later(self: History, *arguments: Any) -> Any:
        renewing.set()
        await until_stopped(self)
        return await renew(self, *arguments)

    async def until_stopped(history: History) -> None:
        async with asyncio.timeout(20):
            while await history.emergency_stop() is None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    monkeypatch.setattr(History, "renew", renew_later)
    monkeypatch.setattr(placing, "RENEW_SUBMISSIONS_OLDER_THAN", timedelta(0))
    async with simulated_desk(tmp_path) as desk:
        [sent] = await desk.send_all([CALL])
        await asyncio.wait_for(renewing.wait(), 20)
        await maya(desk).stop_everything()
        assert (await until_over(desk, sent.id)).status == "canceled"
        assert posts(desk) == []


async def test_a_stop_of_one_account_stops_no_other(database_url: str, tmp_path: Path):
    url = SecretStr(database_url)
    async with (
        simulated_desk(tmp_path, database_url=url) as desk,
        simulated_desk(tmp_path, database_url=url, account_sid="AC" + "9" * 32) as other,
    ):
        await maya(desk).stop_everything()
        assert (await followed(other, CALL)).status == "completed"
        assert await other.emergency_stop() is None
