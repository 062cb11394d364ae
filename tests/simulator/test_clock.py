"""The simulator's clock: speed, standing still, and steps."""

from __future__ import annotations

import asyncio
import time

import pytest

from simulator.clock import Clock


async def remember(clock: Clock, seen: list[str], name: str, *waits: float) -> None:
    for wait in waits:
        await clock.sleep(wait)
        seen.append(f"{name}@{clock.seconds():g}")


async def test_a_wait_takes_its_time_at_a_speed():
    clock = Clock(speed=50)
    started = time.monotonic()
    await clock.sleep(5)
    assert 0.1 <= time.monotonic() - started < 4


async def test_steps_ring_every_alarm_in_order_at_its_own_time():
    clock = Clock(speed=0)
    seen: list[str] = []
    tasks = [
        asyncio.create_task(remember(clock, seen, "a", 0.5, 2, 10)),
        asyncio.create_task(remember(clock, seen, "b", 1, 1, 1)),
    ]
    await asyncio.sleep(0.02)
    assert (seen, clock.seconds()) == ([], 0)
    await clock.step(3)
    assert seen == ["a@0.5", "b@1", "b@2", "a@2.5", "b@3"]
    assert clock.seconds() == 3
    await clock.step(9.5)
    assert seen[-1] == "a@12.5"
    await asyncio.gather(*tasks)


async def test_a_clock_that_stands_still_goes_on():
    clock = Clock(speed=0)
    sleeper = asyncio.create_task(clock.sleep(10))
    await asyncio.sleep(0)
    clock.set_speed(1000)
    await asyncio.wait_for(sleeper, timeout=5)
    clock.set_speed(0)
    assert clock.seconds() == clock.seconds() >= 10


async def test_a_limit_ends_a_block():
    clock = Clock(speed=0)

    async def wait() -> bool:
        with pytest.raises(TimeoutError):
            async with clock.limit(5) as limit:
                await clock.sleep(100)
        return limit.expired()

    waiting = asyncio.create_task(wait())
    await clock.step(4.9)
    assert not waiting.done()
    await clock.step(0.2)
    assert waiting.done()
    assert waiting.result()


async def test_a_limit_that_was_kept_does_not_ring():
    clock = Clock(speed=0)
    async with clock.limit(5) as limit:
        pass
    await clock.step(10)
    assert not limit.expired()


async def test_requests_under_way_are_waited_for():
    clock = Clock(speed=0)
    seen: list[str] = []

    async def fetch() -> None:
        await clock.sleep(1)
        with clock.request_under_way():
            await asyncio.sleep(0.1)  # real time, as a network takes it
        await clock.sleep(1)
        seen.append(f"{clock.seconds():g}")

    task = asyncio.create_task(fetch())
    await clock.step(2)
    assert seen == ["2"]
    await task


async def test_canceled_waits_leave_nothing_behind():
    clock = Clock(speed=0)
    for _ in range(1000):
        async with clock.limit(600):
            pass
    assert len(clock._alarms) < 250
    sleeper = asyncio.create_task(clock.sleep(1))
    await asyncio.sleep(0)
    sleeper.cancel()
    await clock.step(2)
    assert sleeper.cancelled()


async def test_standing_still_costs_nothing():
    clock = Clock(speed=0)
    sleepers = [asyncio.create_task(clock.sleep(1)) for _ in range(100)]
    await asyncio.sleep(0)
    used = time.process_time()
    await asyncio.sleep(0.3)
    assert time.process_time() - used < 0.1
    await clock.step(1)
    await asyncio.gather(*sleepers)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
async def test_no_steps_back(seconds: float):
    with pytest.raises(ValueError, match=r"\w\.$"):
        await Clock(speed=0).step(seconds)
