"""What many visitors look at is read once for all of them, and never older than they accept."""

from __future__ import annotations

import asyncio

import pytest

from dashboard.shared_reading import SharedReading


class Counted:
    """Something to read that says how often it was read, after `gate` has opened."""

    def __init__(self) -> None:
        self.times = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def read(self) -> int:
        self.times += 1
        found = self.times
        await self.gate.wait()
        return found


async def test_visitors_who_ask_during_one_reading_share_the_next():
    counted, shared = Counted(), SharedReading[int]()
    counted.gate.clear()
    first = asyncio.create_task(shared.read(counted.read))
    await asyncio.sleep(0)
    # What is being read began before they asked, and may lack what they have just done.
    others = [asyncio.create_task(shared.read(counted.read)) for _ in range(5)]
    await asyncio.sleep(0)
    counted.gate.set()
    assert await first == 1
    assert await asyncio.gather(*others) == [2] * 5


async def test_a_visitor_who_accepts_something_older_waits_for_no_reading():
    counted, shared = Counted(), SharedReading[int]()
    assert shared.latest(60) is None
    assert await shared.read(counted.read, 60) == 1
    assert await shared.read(counted.read, 60) == 1
    assert (shared.latest(60), shared.latest(0)) == (1, None)
    assert await shared.read(counted.read) == 2


async def test_a_reading_that_fails_leaves_the_one_before():
    counted, shared = Counted(), SharedReading[int]()
    await shared.read(counted.read)

    async def fails() -> int:
        raise OSError("no connection")

    with pytest.raises(OSError, match="no connection"):
        await shared.read(fails)
    assert shared.latest(60) == 1
    assert await shared.read(counted.read) == 2
