"""What a process's requests wait for: one another, where they are for the same number."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alerts.steps import placing
from alerts.steps.placing import RequestLimits
from alerts.submissions import Submission
from tests.support.desks import CALL, desk_at, simulated_desk, until_over
from tests.support.scripted_twilio import PLACED, at, scripted_twilio

NUMBER = "+14125550104"
FIRST = Submission("1", "alert", 1, "AC1", "call", NUMBER, datetime.now(UTC))


async def test_the_next_waits_until_a_number_is_free(tmp_path: Path):
    async with simulated_desk(tmp_path) as desk:
        limits = RequestLimits(desk.services)
        with limits.occupying(FIRST):
            waiting = asyncio.create_task(limits.until_free("call", NUMBER))
            await asyncio.sleep(0)
            assert not waiting.done()
            assert not await limits.until_free("text", NUMBER)
        assert await waiting
        assert not await limits.until_free("call", NUMBER)


async def test_a_submission_that_another_process_settled_frees_nothing_of_the_next(tmp_path: Path):
    """Such a process has taken this one for dead, and a second one has begun here meanwhile."""
    async with simulated_desk(tmp_path) as desk:
        limits = RequestLimits(desk.services)
        first, second = limits.occupying(FIRST), limits.occupying(replace(FIRST, id="2"))
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        waiting = asyncio.create_task(limits.until_free("call", NUMBER))
        await asyncio.sleep(0)
        assert not waiting.done()
        second.__exit__(None, None, None)
        assert await waiting


async def test_a_request_has_the_time_at_which_its_turn_comes(monkeypatch: pytest.MonkeyPatch):
    """However long it waited for others to be answered; else it would need a new time at once."""
    monkeypatch.setattr(placing, "MOST_REQUESTS_AT_ONCE", 1)
    slow = replace(PLACED, seconds=1)
    async with scripted_twilio(slow, PLACED, looking=[at("completed")]) as twilio:
        async with desk_at(twilio.url) as desk:
            first, second = await desk.send_all([CALL, replace(CALL, to=NUMBER)])
            ends = [await until_over(desk, each.id) for each in (first, second)]
        [accepted, *_], [asked, *_] = (
            [event.at for event in alert.events if event.status == status]
            for alert, status in zip(ends, ("placed", "sending"), strict=True)
        )
    assert asked > accepted
