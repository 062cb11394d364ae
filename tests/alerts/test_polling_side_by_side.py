"""One follower for many: nobody waits for anybody else, and nothing is left behind."""

from __future__ import annotations

import asyncio
import time

from alerts.steps.poll_schedule import PollIntervals
from tests.support.desks import until
from tests.support.pollers import Told, follower_at, following_tasks, one
from tests.support.scripted_twilio import PLACED, Answer, at, scripted_twilio


async def test_what_cannot_be_told_is_told_later_and_stops_nobody(caplog, monkeypatch):
    monkeypatch.setattr("alerts.steps.polling.WITHOUT_CALLBACKS", PollIntervals(0.05, 1.25, 0.5))
    told = Told(failing={"one": 2}, hanging={"two"})
    async with (
        scripted_twilio(PLACED, looking=[at("completed")]) as twilio,
        follower_at(twilio.url, told) as follower,
    ):
        with (
            follower.polling(one("one")),
            follower.polling(one("two")),
            follower.polling(one("three")),
        ):
            await until(lambda: told.words("three") == ["completed"])
            assert told.words("one") == []
            await until(lambda: told.words("one") == ["completed"])
            assert told.words("two") == []
    assert [record.message for record in caplog.records] == [
        "Polling for alert one failed; trying again"
    ] * 2
    assert following_tasks() == []


async def test_a_late_comer_is_looked_at_promptly():
    told = Told()
    async with (
        scripted_twilio(PLACED, looking=[Answer(503)] * 3 + [at("ringing")]) as twilio,
        follower_at(twilio.url, told) as follower,
    ):
        with follower.polling(one("one")):
            await until(lambda: twilio.looks == 3)  # the next wait is of four seconds
            began = time.monotonic()
            with follower.polling(one("two")):
                await until(lambda: told.events)
            assert time.monotonic() - began < 1
            assert told.words("one") == []
    assert told.words("two") == ["ringing"]


async def test_nothing_is_looked_at_or_told_after_the_block():
    told = Told()
    slow = Answer(200, at("completed").payload, seconds=0.3)
    async with (
        scripted_twilio(PLACED, looking=[slow]) as twilio,
        follower_at(twilio.url, told) as follower,
    ):
        with follower.polling(one()):
            await until(lambda: twilio.looks)
        await until(lambda: not following_tasks())
        with follower.polling(one("again")):
            await until(lambda: told.events)
        assert (twilio.looks, told.words("one")) == (2, [])


async def test_closing_stops_everything_at_once():
    told = Told(hanging={"one"})
    async with (
        scripted_twilio(PLACED, looking=[at("completed")]) as twilio,
        follower_at(twilio.url, told) as follower,
    ):
        with follower.polling(one()), follower.polling(one("two", channel="text")):
            await until(lambda: twilio.looks == 2)
            await follower.close()
            assert following_tasks() == []
            with follower.polling(one("three")):
                await asyncio.sleep(0)
                assert following_tasks() == []


async def test_a_pause_that_twilio_asks_for_holds_for_all():
    told = Told()
    too_fast = Answer(429, {"code": 20429}, headers={"Retry-After": "2"})
    async with (
        scripted_twilio(PLACED, looking=[too_fast, at("completed")]) as twilio,
        follower_at(twilio.url, told) as follower,
    ):
        with follower.polling(one("one")):
            await until(lambda: twilio.looks == 1)
            paused = time.monotonic()
            with follower.polling(one("two")):
                await until(lambda: len(told.events) == 2)
        assert 1.9 <= time.monotonic() - paused <= 3.5
        assert twilio.looks == 3


async def test_where_callbacks_bring_the_news_there_is_no_hurry():
    told = Told()
    async with (
        scripted_twilio(PLACED, looking=[at("completed")]) as twilio,
        follower_at(twilio.url, told, callbacks=True) as follower,
    ):
        with follower.polling(one()):
            await asyncio.sleep(1.5)
            assert twilio.looks == 0
