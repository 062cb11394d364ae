"""Sending now anyway, and holding a text back so that it can be undone."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from access import EVERYTHING, Actor
from alerts import AlertRequest, UnusableInput
from alerts.desk import Desk
from alerts.message.compose import compose
from alerts.phone_numbers import Regions
from alerts.state import HELD_BACK
from tests.support.desks import (
    CALL,
    TEXT,
    followed,
    posts,
    quiet_now,
    simulated_desk,
    until_over,
    worker_of,
)
from tests.support.waiting import until

BUSY = "+14125550101"
WAITS = {
    "for the morning": (replace(TEXT, quiet_hours=quiet_now(TEXT.to)), "Quiet hours", 0, {}),
    "for the number's hour": (TEXT, "hourly limit", 1, {"alerts_per_number_per_hour": 1}),
    "for the next try": (
        replace(CALL, to=BUSY, tries=2, minutes_between_tries=60),
        "Try 2 comes at",
        1,
        {},
    ),
    "to be undone": (replace(TEXT, hold_seconds=60), HELD_BACK, 0, {}),
}


def requests(desk: Desk) -> int:
    return sum("To" in each for each in posts(desk))


async def waiting(desk: Desk, request: AlertRequest, note: str, before: int) -> str:
    """Send an alert that has to wait; returns its id once it was deferred."""
    if before and request.channel == "text":
        await followed(desk, request)
    sent = await desk.send(request)
    history = await desk.history()
    await history.until(sent.id, lambda alert: note in alert.events[-1].note, 20)
    await until(lambda: worker_of(desk).under_way == 0)
    assert requests(desk) == before
    return sent.id


@pytest.mark.parametrize(("request_", "note", "before", "options"), WAITS.values(), ids=WAITS)
async def test_what_waits_goes_out_once_and_at_once(tmp_path, request_, note, before, options):
    async with simulated_desk(tmp_path, **options) as desk:
        alert_id = await waiting(desk, request_, note, before)
        first = await desk.acting_as(Actor("Maya", EVERYTHING)).send_now(alert_id)
        assert first is not None
        assert first.events[-1].note == "Sent now anyway, by Maya"
        assert first.events[-1].source == "sender"
        await asyncio.gather(*(desk.send_now(alert_id) for _ in range(3)))
        ended = await until_over(desk, alert_id)
        assert requests(desk) == before + 1
        again = await desk.send_now(alert_id)
        assert again is not None
        assert again.events == ended.events
    decisions = [each for each in ended.events if each.send_now]
    assert [each.news for each in decisions] == [True] + [False] * (len(decisions) - 1)
    assert ended.try_number == (2 if request_.to == BUSY else 1)


async def test_from_another_process_while_the_first_one_waits_for_it(tmp_path):
    async with simulated_desk(tmp_path) as desk:
        sent = await desk.send(replace(TEXT, hold_seconds=20))
        assert worker_of(desk).under_way == 1
        services = desk.services
        async with simulated_desk(
            tmp_path, twilio=services.twilio, simulator=services.simulator
        ) as other:
            await other.send_now(sent.id)
            assert (await until_over(desk, sent.id)).status == "delivered"
        assert requests(desk) == 1


async def test_the_next_try_keeps_the_rules_again(tmp_path):
    async with simulated_desk(tmp_path) as desk:
        request = replace(CALL, to=BUSY, tries=3, minutes_between_tries=60)
        alert_id = await waiting(desk, request, "Try 2 comes at", 1)
        await desk.send_now(alert_id)
        history = await desk.history()
        third = await history.until(
            alert_id, lambda alert: "Try 3 comes at" in alert.events[-1].note, 20
        )
        assert not third.send_now
        assert requests(desk) == 2


async def test_an_unknown_id(tmp_path):
    async with simulated_desk(tmp_path) as desk:
        assert await desk.send_now("nobody") is None


async def test_what_is_held_back_can_be_undone(tmp_path):
    async with simulated_desk(tmp_path) as desk:
        held = await desk.send(replace(TEXT, hold_seconds=10))
        assert held.status == "queued"
        assert held.events[-1].note.startswith(HELD_BACK)
        assert (held.not_before - held.since).total_seconds() == 10
        undone = await desk.acting_as(Actor("Maya", EVERYTHING)).cancel(held.id)
        assert undone is not None
        assert undone.status == "canceled"
        await until(lambda: worker_of(desk).under_way == 0)
        assert requests(desk) == 0


async def test_it_goes_out_when_the_time_is_over(tmp_path):
    async with simulated_desk(tmp_path) as desk:
        alert = await followed(desk, replace(TEXT, hold_seconds=0.5))
    assert alert.status == "delivered"
    sending = next(each for each in alert.events if each.status == "sending")
    assert (sending.at - alert.events[0].at).total_seconds() >= 0.5


@pytest.mark.parametrize("seconds", [-1, 61, float("nan"), float("inf")])
def test_held_back_for_a_minute_at_most(seconds):
    with pytest.raises(UnusableInput) as problem:
        compose(replace(TEXT, hold_seconds=seconds), Regions())
    assert problem.value.field == "hold_seconds"
