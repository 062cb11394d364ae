"""Remembering alerts, and telling whoever watches them."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime

import pytest

from alerts import Alert, Event, Status
from alerts.history import KEPT, History
from tests.alerts_desk import until

STEPS = (Status.SENDING, Status.PLACED, Status.RINGING, Status.ANSWERED, Status.COMPLETED)


def queued(alert_id: str = "one") -> Alert:
    written = Event(datetime.now(UTC), Status.QUEUED, "Written")
    return Alert(alert_id, "call", "+14128574309", "+14155550100", "Hello", (written,))


async def seen(history: History, alert_id: str = "one") -> list[Status]:
    async with aclosing(history.watch(alert_id)) as changes:
        return [alert.status async for alert in changes]


async def until_watched(history: History, watchers: int) -> None:
    await until(lambda: sum(len(queues) for queues in history._watchers.values()) == watchers)


async def test_watchers_see_everything_in_order_and_then_it_ends():
    history = History()
    watching = [asyncio.create_task(seen(history)) for _ in range(3)]
    await until_watched(history, 3)
    alert = history.record(queued())
    for step in STEPS:
        alert = history.record(alert.with_event(step, ""))
    async with asyncio.timeout(5):
        assert await asyncio.gather(*watching) == [[Status.QUEUED, *STEPS]] * 3
    assert not history._watchers


async def test_a_late_watcher_gets_the_present_state():
    history = History()
    alert = history.record(queued())
    alert = history.record(alert.with_event(Status.RINGING, ""))
    watching = asyncio.create_task(seen(history))
    await until_watched(history, 1)
    alert = history.record(alert.with_event(Status.COMPLETED, ""))
    async with asyncio.timeout(5):
        assert await watching == [Status.RINGING, Status.COMPLETED]
        assert await seen(history) == [Status.COMPLETED]
    assert not history._watchers


async def test_no_news_is_not_told():
    history = History()
    alert = history.record(queued())
    watching = asyncio.create_task(seen(history))
    await until_watched(history, 1)
    assert history.record(alert) is alert
    history.record(alert.with_event(Status.FAILED, ""))
    async with asyncio.timeout(5):
        assert await watching == [Status.QUEUED, Status.FAILED]


async def test_one_alert_is_none_of_anothers_business():
    history = History()
    watching = asyncio.create_task(seen(history))
    await until_watched(history, 1)
    history.record(queued("two").with_event(Status.FAILED, ""))
    history.record(queued().with_event(Status.CANCELED, ""))
    async with asyncio.timeout(5):
        assert await watching == [Status.CANCELED]


async def test_a_watcher_that_goes_away_is_forgotten():
    history = History()
    watching = [asyncio.create_task(seen(history, name)) for name in ("one", "one", "never-sent")]
    await until_watched(history, 3)
    history.record(queued())
    for watcher in watching:
        watcher.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    assert not history._watchers


async def test_nobody_has_sent_it():
    assert History().get("never-sent") is None


@pytest.mark.parametrize("over", [True, False], ids=["over", "under way"])
def test_the_oldest_that_is_over_goes_first(over):
    history = History()
    history.record(queued("under way"))
    history.record(queued("oldest").with_event(Status.FAILED, "") if over else queued("oldest"))
    for number in range(KEPT - 1):
        history.record(queued(str(number)))
    assert history.get("under way")
    assert (history.get("oldest") is None) is over
