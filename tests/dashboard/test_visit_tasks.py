"""What a visitor asks for runs one after another, and not without an end."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from shiny import Session

from dashboard.visit_tasks import MOST_TASKS, VisitTasks


class Page:
    """As much of a session as the tasks need."""

    def on_ended(self, stop: Any) -> None:
        self.end = stop


async def test_a_page_that_sends_on_and_on_fills_no_memory(caplog):
    page, done, go_on = Page(), list[str](), asyncio.Event()

    async def say(sentence: str) -> None:
        raise AssertionError(sentence)

    async def act(record: str, _: str, __: dict[str, Any]) -> None:
        await go_on.wait()
        done.append(record)

    tasks = VisitTasks(cast(Session, page), say, str)
    for number in range(3 * MOST_TASKS):
        tasks.begin(tasks.do(act, str(number), "", {}))
        await asyncio.sleep(0)
    go_on.set()
    async with asyncio.timeout(10):
        while len(done) < MOST_TASKS:  # noqa: ASYNC110
            await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    assert done == [str(number) for number in range(MOST_TASKS)]
    assert "too much of it is waiting" in caplog.text
    # From then on it is served again.
    tasks.begin(tasks.do(act, "later", "", {}))
    async with asyncio.timeout(10):
        while done[-1] != "later":  # noqa: ASYNC110
            await asyncio.sleep(0)
    page.end()
