"""Making checks side by side: none waits for another, none hangs, none breaks the rest."""

from __future__ import annotations

import asyncio
import logging

from doctor import Check, Group, Line, examine
from doctor.check import Lines
from tests.support.doctor_lines import found_by


def check(name: str, ask, seconds: float = 5) -> Check:
    return Check(name, Group.TWILIO, f"The {name}", ask, seconds)


async def fine() -> Lines:
    return [Line("fine", "It is there.")]


async def hangs() -> Lines:
    await asyncio.Event().wait()
    return []


async def breaks() -> Lines:
    raise RuntimeError("hush-hush")


async def test_each_is_known_as_soon_as_it_is():
    """The second check ends only once the first one has been told of."""
    told = asyncio.Event()

    async def slow() -> Lines:
        await told.wait()
        return [Line("fine", "Late.")]

    order = []
    async for found, _ in examine([check("slow", slow), check("quick", fine)]):
        order.append(found.name)
        told.set()
    assert order == ["quick", "slow"]


async def later() -> Lines:
    await asyncio.sleep(1)
    return []


async def test_one_that_hangs_says_so_after_its_own_time():
    found = await found_by([check("storage", hangs, 0.01), check("later", later)])
    assert list(found) == ["storage", "later"]
    [line] = found["storage"]
    assert (line.verdict, line.words) == ("unknown", "The storage: no answer within 0.01 s.")


async def test_one_that_breaks_is_in_the_log_and_nowhere_else(caplog):
    with caplog.at_level(logging.ERROR):
        found = await found_by([check("storage", breaks), check("quick", fine)])
    [line] = found["storage"]
    assert (line.verdict, line.seen) == ("unknown", "Callboard failed. Its log says why.")
    assert "hush-hush" not in line.words
    assert "RuntimeError" in caplog.text
    assert found["quick"][0].verdict == "fine"


async def test_what_is_left_is_given_up_with_its_caller():
    begun = asyncio.Event()
    canceled = asyncio.Event()

    async def waits() -> Lines:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            canceled.set()
        return []

    results = examine([check("quick", fine), check("waits", waits)])
    await anext(results)
    await begun.wait()
    await results.aclose()
    assert canceled.is_set()
