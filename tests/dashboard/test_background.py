"""Pages outlive their desk for a moment when a server stops: nothing that they began gets lost."""

from __future__ import annotations

import ast
import asyncio
import gc
import logging
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from shiny import reactive

from access import Actor, NotAllowed
from alerts import DatabaseError
from dashboard.background import in_background, show, show_newest, until_shown
from tests.support.desks import simulated_desk
from tests.support.page_in_memory import fill_in, opened
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("fresh_lock")

ROOT = Path(__file__).parents[2]
# It waits for an event, which can't go wrong.
WAITED_FOR = {"asyncio.create_task(ended.wait())"}


@pytest.fixture
async def unread() -> list[dict[str, Any]]:
    """What the event loop reports, such as an exception that was never retrieved."""
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    return told


@pytest.mark.slow
async def test_a_page_whose_desk_is_closed(
    tmp_path: Path, unread: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    async with simulated_desk(tmp_path) as desk, opened(desk) as page:
        await desk.close()
        with pytest.raises(DatabaseError, match="This desk is closed"):
            await desk.open()
        await fill_in(page.session, phone_number="Ben Adeyemi, 412 555 0123")
        await fill_in(page.session, phone_number="Kaito Mori")
        await asyncio.sleep(0.1)
        gc.collect()
    assert unread == []
    assert "Traceback" not in caplog.text


async def test_who_may_not_look_up_names(tmp_path: Path, unread: list[dict[str, Any]]) -> None:
    async with simulated_desk(tmp_path) as desk:
        await desk.open()
        async with opened(desk.acting_as(Actor("Nobody", frozenset()))) as page:
            await fill_in(page.session, phone_number="Ben Adeyemi")
            await asyncio.sleep(0.1)
            gc.collect()
    assert unread == []


@pytest.mark.parametrize("error", [ValueError("Ouch"), NotAllowed("No."), DatabaseError("Full.")])
async def test_what_goes_wrong_is_logged_at_once(
    error: Exception, unread: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        raise error

    in_background(fail(), "the test")
    await until(lambda: caplog.records)
    gc.collect()
    [told] = caplog.records
    assert "the test" in told.getMessage()
    is_short = isinstance(error, DatabaseError)
    assert told.levelno == (logging.WARNING if is_short else logging.ERROR)
    assert (told.exc_info is None) is is_short
    assert unread == []


async def test_visitors_come_between_what_tasks_show() -> None:
    done: list[str] = []
    values = [reactive.Value(0) for _ in range(10)]

    async def visit() -> None:
        async with reactive.lock():
            done.append("a visitor")

    def shown(number: int) -> dict[reactive.Value[Any], object]:
        done.append(f"task {number}")
        return {values[number]: 1}

    async with asyncio.TaskGroup() as tasks, reactive.lock():
        for number in range(len(values)):
            tasks.create_task(show_newest(partial(shown, number)))
        await asyncio.sleep(0)  # each has looked whether it has news
        done.clear()
        tasks.create_task(visit())
        await asyncio.sleep(0)
    assert done[:3] == ["task 0", "a visitor", "task 1"]
    with reactive.isolate():
        assert all(value() == 1 for value in values)


async def test_what_is_shown_is_what_is_newest_when_its_turn_comes() -> None:
    value, newest = reactive.Value(0), 1
    async with asyncio.TaskGroup() as tasks, reactive.lock():
        tasks.create_task(show_newest(lambda: {value: newest}))
        await asyncio.sleep(0)
        newest = 2
    with reactive.isolate():
        assert value() == 2


async def test_pages_are_updated_only_by_what_is_new() -> None:
    value, updates = reactive.Value(1), list[int]()

    async def count() -> None:
        updates.append(1)

    stop = reactive.on_flushed(count)
    await show({value: 1})
    assert not updates
    await show({value: 2})
    stop()
    assert len(updates) == 1


async def test_what_a_task_reads_is_nothing_that_its_effect_depends_on() -> None:
    value, runs, tasks = reactive.Value(0), list[int](), list[asyncio.Task[None]]()

    @reactive.effect
    def begin() -> None:
        runs.append(1)
        work = show_newest(lambda: {value: 1} if value() == 0 else {})
        tasks.append(in_background(work, "the test"))

    async with reactive.lock():
        await reactive.flush()
    await asyncio.gather(*tasks)
    async with reactive.lock():
        await reactive.flush()
    begin.destroy()
    assert len(runs) == 1


async def test_what_is_not_new_waits_for_nobody() -> None:
    value = reactive.Value(1)
    async with reactive.lock(), asyncio.timeout(5):
        await show({value: 1})


async def test_waiting_until_a_press_is_shown() -> None:
    async with reactive.lock():
        waiting = asyncio.create_task(until_shown(60))
        await asyncio.sleep(0.01)
        assert not waiting.done()
    await waiting


async def test_waiting_until_what_others_do_is_shown_too() -> None:
    """Ten who send at once must not slow down the pages of all who type meanwhile."""
    done: list[str] = []

    async def visit(name: str) -> None:
        async with reactive.lock():
            await asyncio.sleep(0)  # as while its outputs are computed
            done.append(name)

    async def send(name: str) -> None:
        await until_shown(60)
        done.append(name)

    async with asyncio.TaskGroup() as tasks, reactive.lock():
        for work in (send("first"), send("second"), visit("one"), visit("another")):
            tasks.create_task(work)
            await asyncio.sleep(0)
    assert done == ["one", "another", "first", "second"]


async def test_a_page_that_does_not_read_keeps_nobody_waiting() -> None:
    async with reactive.lock(), asyncio.timeout(5):
        await until_shown(0.01)


def test_every_task_of_a_page_is_begun_so() -> None:
    """Otherwise its errors would never be seen."""
    found = {
        ast.unparse(node)
        for file in [*(ROOT / "dashboard").rglob("*.py"), ROOT / "app.py"]
        if file.name != "background.py"
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("create_task")
    }
    assert found == WAITED_FOR
