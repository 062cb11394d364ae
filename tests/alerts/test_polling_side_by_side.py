"""One poller for many calls and texts: none holds up another, and no task is left behind."""

from __future__ import annotations

import asyncio
import time

import pytest

from alerts.steps.polling import PollIntervals
from tests.support.pollers import Reports, one, poller_at, polling_tasks
from tests.support.scripted_twilio import PLACED, Answer, at, scripted_twilio
from tests.support.waiting import until


async def test_a_report_that_fails_is_repeated_and_stops_no_other(caplog, monkeypatch):
    monkeypatch.setattr("alerts.steps.polling.WITHOUT_CALLBACKS", PollIntervals(0.05, 1.25, 0.5))
    reports = Reports(failing={"one": 2}, hanging={"two"})
    async with (
        scripted_twilio(PLACED, looking=[at("completed")]) as twilio,
        poller_at(twilio.url, reports) as poller,
    ):
        with (
            poller.polling(one("one")),
            poller.polling(one("two")),
            poller.polling(one("three")),
        ):
            await until(lambda: reports.words("three") == ["completed"])
            assert reports.words("one") == []
            await until(lambda: reports.words("one") == ["completed"])
            assert reports.words("two") == []
    assert [record.message for record in caplog.records] == [
        "Polling for alert one failed; trying again"
    ] * 2
    assert polling_tasks() == []


@pytest.mark.slow
async def test_a_late_comer_is_looked_at_promptly():
    reports = Reports()
    async with (
        scripted_twilio(PLACED, looking=[Answer(503)] * 3 + [at("ringing")]) as twilio,
        poller_at(twilio.url, reports) as poller,
    ):
        with poller.polling(one("one")):
            await until(lambda: twilio.looks == 3)  # the next wait is of four seconds
            began = time.monotonic()
            with poller.polling(one("two")):
                await until(lambda: reports.events)
            assert time.monotonic() - began < 3
            assert reports.words("one") == []
    assert reports.words("two") == ["ringing"]


async def test_nothing_is_polled_or_reported_after_the_block():
    reports = Reports()
    slow = Answer(200, at("completed").payload, seconds=0.3)
    async with (
        scripted_twilio(PLACED, looking=[slow]) as twilio,
        poller_at(twilio.url, reports) as poller,
    ):
        with poller.polling(one()):
            await until(lambda: twilio.looks)
        await until(lambda: not polling_tasks())
        with poller.polling(one("again")):
            await until(lambda: reports.events)
        assert (twilio.looks, reports.words("one")) == (2, [])


async def test_closing_stops_everything_at_once():
    reports = Reports(hanging={"one"})
    async with (
        scripted_twilio(PLACED, looking=[at("completed")]) as twilio,
        poller_at(twilio.url, reports) as poller,
    ):
        with poller.polling(one()), poller.polling(one("two", channel="text")):
            await until(lambda: twilio.looks == 2)
            await poller.close()
            assert polling_tasks() == []
            with poller.polling(one("three")):
                await asyncio.sleep(0)
                assert polling_tasks() == []


@pytest.mark.slow
async def test_a_pause_that_twilio_asks_for_holds_for_all():
    reports = Reports()
    too_fast = Answer(429, {"code": 20429}, headers={"Retry-After": "2"})
    async with (
        scripted_twilio(PLACED, looking=[too_fast, at("completed")]) as twilio,
        poller_at(twilio.url, reports) as poller,
    ):
        with poller.polling(one("one")):
            await until(lambda: twilio.looks == 1)
            paused = time.monotonic()
            with poller.polling(one("two")):
                await until(lambda: len(reports.events) == 2)
        assert 1.9 <= time.monotonic() - paused <= 3.5
        assert twilio.looks == 3


async def test_where_callbacks_bring_the_news_there_is_no_hurry():
    reports = Reports()
    async with (
        scripted_twilio(PLACED, looking=[at("completed")]) as twilio,
        poller_at(twilio.url, reports, callbacks=True) as poller,
    ):
        with poller.polling(one()):
            await asyncio.sleep(1.5)
            assert twilio.looks == 0
