"""What a process's requests wait for: one another, where they are for the same number."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from alerts.steps.placing import RequestLimits
from alerts.submissions import Submission
from tests.support.desks import simulated_desk

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
