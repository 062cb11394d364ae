"""The history: recording events, and passing news on to watchers in any process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from alerts import Event, Status, records, watching
from alerts.alert import NewAlert
from alerts.history import History
from database.database import Database
from database.tables import MOST_PER_STATEMENT
from tests.support.desks import ANYBODY, CALL, database_in
from tests.support.waiting import until

STEPS = (Status.SENDING, Status.PLACED, Status.RINGING, Status.ANSWERED, Status.COMPLETED)
ACCOUNT = "AC1"


@asynccontextmanager
async def history_in(folder: Path) -> AsyncIterator[History]:
    database = Database(database_in(folder).get_secret_value())
    await database.open()
    opened = History(database, ACCOUNT)
    try:
        yield opened
    finally:
        await opened.close()
        await database.close()


@pytest.fixture
async def history(tmp_path):
    async with history_in(tmp_path) as opened:
        yield opened


@pytest.fixture
async def another_process(tmp_path, history):
    """The same database, as another process sees it."""
    async with history_in(tmp_path) as opened:
        yield opened


def new(alert_id: str = "one", **fields: Any) -> NewAlert:
    return NewAlert(alert_id, replace(CALL, **fields), "+14155550100")


def new_event(status: Status | None, note: str = "", **facts: Any) -> Event:
    return Event(datetime.now(UTC), status, note, **facts)


async def seen(history: History, alert_id: str = "one") -> list[Status]:
    async with asyncio.timeout(10), aclosing(history.watch(alert_id)) as changes:
        return [alert.status async for alert in changes]


async def watched(history: History, watchers: int, alert_id: str = "one") -> None:
    await until(lambda: len(history._watchers._queues.get(alert_id, ())) == watchers)


async def test_an_alert_is_read_as_it_was_saved(history):
    request = replace(CALL, then_to=("+14125550142",), voicemail="Short", name="Ann", user="ben")
    await history.add([NewAlert("one", request, "+14155550100")])
    alert = await history.get("one")
    assert alert is not None
    assert (alert.request, alert.from_) == (request, "+14155550100")
    assert (alert.status, alert.try_number, alert.to) == ("queued", 1, ANYBODY)
    assert [event.note for event in alert.events] == ["Saved"]
    assert alert.since == alert.events[0].at == alert.not_before


async def test_the_story_is_the_same_after_reading_it_again(history, another_process):
    await history.add([new()])
    with history.news_of("one"):
        for step in STEPS:
            known = await history.record("one", new_event(step, f"It is {step}", sid="CA1"))
        assert await another_process.get("one") == known
    assert [event.status for event in known.events] == ["queued", *STEPS]


async def test_watchers_see_everything_in_order_and_then_it_ends(history):
    await history.add([new()])
    watching = [asyncio.create_task(seen(history)) for _ in range(3)]
    await watched(history, 3)
    # They may not have read the present state before the next one comes.
    await until(lambda: history._watchers.newest.get("one"))
    for step in STEPS:
        await history.record("one", new_event(step))
    assert await asyncio.gather(*watching) == [[Status.QUEUED, *STEPS]] * 3
    assert not history._watchers.ids


async def test_a_watcher_of_another_process_sees_the_end(history, another_process):
    watching = asyncio.create_task(seen(another_process))
    await watched(another_process, 1)
    await history.add([new()])
    for step in STEPS:
        await history.record("one", new_event(step))
    assert (await watching)[-1] == Status.COMPLETED


async def test_what_is_final_never_changes_and_what_comes_late_is_kept(history):
    await history.add([new()])
    await history.record("one", new_event(Status.COMPLETED))
    alert = await history.record("one", new_event(Status.FAILED, "Late"))
    assert alert.status is Status.COMPLETED
    assert [(event.note, event.news) for event in alert.events][-1] == ("Late", False)


async def test_an_id_that_is_known_stays_what_it_was(history):
    assert [each.id for each in await history.add([new()])] == ["one"]
    added = await history.add([new(message="Something else"), new("two")])
    assert [each.id for each in added] == ["two"]
    assert (await history.get("one")).message == "Hello"


async def test_an_id_that_is_given_twice_at_once_is_one_alert_with_the_first_words(history):
    # So many that they take several statements.
    many = [new(f"alert {number}") for number in range(MOST_PER_STATEMENT)]
    asked = [new(), new(message="Twice"), *many, many[0], new(message="And again")]
    assert [each.id for each in await history.add(asked)] == ["one", *(each.id for each in many)]
    assert (await history.get("one")).message == "Hello"


async def test_an_id_that_was_never_sent(history):
    assert await history.get("never-sent") is None
    assert await history.record("never-sent", new_event(Status.PLACED)) is None


async def test_many_at_once(history):
    ids = [f"alert {number}" for number in range(1201)]
    assert len(await history.add([new(each) for each in ids])) == 1201
    await asyncio.gather(*(history.record(each, new_event(Status.SENDING)) for each in ids))
    found = await history.get_all(ids)
    assert {alert.status for alert in found.values()} == {Status.SENDING}
    assert len(found) == 1201


async def test_two_processes_write_to_one_alert(history, another_process):
    await history.add([new()])
    notes = [str(number) for number in range(40)]
    await asyncio.gather(
        *(history.record("one", new_event(None, note)) for note in notes[:20]),
        *(another_process.record("one", new_event(None, note)) for note in notes[20:]),
    )
    alert = (await history.get_all(["one"]))["one"]
    assert sorted(event.note for event in alert.events[1:]) == sorted(notes)


async def test_waiting_ends_when_the_history_closes(history):
    watching = asyncio.create_task(seen(history, "never-sent"))
    await watched(history, 1, "never-sent")
    await history.close()
    assert await watching == []
    assert await seen(history, "too late") == []


async def test_an_alert_is_known_at_once_however_many_are_watched(history, monkeypatch):
    """A caller that sends an id for the second time waits for this."""
    monkeypatch.setattr(watching, "FIRST_LOOK_SECONDS", 60)
    monkeypatch.setattr(watching, "LONGEST_LOOK_SECONDS", 60)
    await history.add([new("one"), new("two")])
    with history.news_of("one") as news:
        assert (await asyncio.wait_for(news.get(), 5)).id == "one"
        with history.news_of("two") as more:
            assert (await asyncio.wait_for(more.get(), 5)).id == "two"


async def test_a_look_that_fails_is_not_the_last(history, another_process, monkeypatch, caplog):
    revisions, looks = records.revisions, 0

    def fail_once(*arguments: Any):
        nonlocal looks
        looks += 1
        if looks == 2:
            raise RuntimeError("a defect")
        return revisions(*arguments)

    await history.add([new()])
    monkeypatch.setattr(records, "revisions", fail_once)
    watching = asyncio.create_task(seen(history))
    await until(lambda: looks >= 2)
    monkeypatch.undo()
    await another_process.record("one", new_event(Status.COMPLETED))
    assert (await asyncio.wait_for(watching, 10))[-1] is Status.COMPLETED
    assert "a defect" in caplog.text
