"""Quiet hours that begin while an alert waits for its turn, or for Twilio, keep it back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from alerts.quiet_hours import QuietHours
from alerts.tables import alerts
from tests.support.desks import (
    CALL,
    TEXT,
    desk_at,
    posts,
    simulated_desk,
    until_over,
    worker_of,
)
from tests.support.direct_sql import column, execute
from tests.support.scripted_twilio import PLACED, TOO_FAST, at, scripted_twilio
from tests.support.waiting import until

HOURS = "22:00-07:00"
NIGHT_LENGTH = timedelta(hours=9)


class FakeQuietHours:
    """Quiet hours that begin and end when the test says so, for all numbers."""

    def __init__(self) -> None:
        self.end: datetime | None = None
        self.looks = 0

    def end_after(self, moment: datetime, number: str) -> datetime | None:
        self.looks += 1
        return self.end if self.end and moment < self.end else None

    def begin(self, length: timedelta = NIGHT_LENGTH) -> None:
        self.end = datetime.now(UTC) + length

    async def count_looks(self) -> int:
        """How often `end_after` is called within half a second."""
        before = self.looks
        await asyncio.sleep(0.5)
        return self.looks - before


@pytest.fixture
def fake_hours(monkeypatch: pytest.MonkeyPatch) -> FakeQuietHours:
    fake = FakeQuietHours()
    monkeypatch.setattr(QuietHours, "end_after", fake.end_after)
    return fake


@pytest.mark.slow
async def test_while_they_wait_for_their_turn(tmp_path, fake_hours):
    requests = [replace(TEXT, to=f"+1412555020{number}", quiet_hours=HOURS) for number in range(5)]
    async with simulated_desk(tmp_path, texts_per_second=2) as desk:
        sent = await desk.send_all(requests)
        await until(lambda: len(posts(desk)) == 2)
        fake_hours.begin()
        await until(lambda: worker_of(desk).under_way <= 2)
        assert await fake_hours.count_looks() <= 2
        before = len(posts(desk))
        # A third one may have been sent just before.
        assert before <= 3
        history = await desk.history()
        waiting = sa.select(alerts.c.id).where(
            alerts.c.status == "queued", alerts.c.claimed_by.is_(None)
        )
        deferred = await column(desk.services.database_url, waiting)
        assert len(deferred) == 5 - before
        for each in deferred:
            alert = await history.get(each)
            assert alert is not None
            assert alert.events[-1].note.startswith("Quiet hours")
        fake_hours.end = None
        due = sa.update(alerts).where(alerts.c.id.in_(deferred)).values(due_at=0)
        await execute(desk.services.database_url, due)
        ends = [(await until_over(desk, each.id)).status for each in sent]
        assert ends == ["delivered"] * 5
        assert len(posts(desk)) == 5


@pytest.mark.parametrize("trouble", ["too fast", "out of reach"])
async def test_while_twilio_is_in_trouble(fake_hours, trouble):
    answers = [TOO_FAST, PLACED] if trouble == "too fast" else [PLACED]
    async with scripted_twilio(*answers, looking=[at("completed")]) as twilio:
        if trouble == "out of reach":
            await twilio.stop()
        async with desk_at(twilio.url) as desk:
            sending = asyncio.create_task(desk.send(replace(CALL, id="late", quiet_hours=HOURS)))
            history = await desk.history()
            await history.until("late", lambda alert: "trying again" in alert.events[-1].note, 10)
            fake_hours.begin(timedelta(seconds=1.5))
            if trouble == "out of reach":
                await twilio.start()
            before = len(twilio.posts)
            await history.until("late", lambda alert: "Quiet" in alert.events[-1].note, 10)
            assert await fake_hours.count_looks() <= 2
            assert len(twilio.posts) == before
            assert (await asyncio.wait_for(sending, 10)).sid
            ended = await until_over(desk, "late")
    assert ended.status == "completed"
    assert fake_hours.end is not None
    assert next(event.at for event in ended.events if event.sid) > fake_hours.end
    assert len([event for event in ended.events if "Quiet" in event.note]) == 1
    assert len(twilio.posts) == len(answers)


async def test_in_such_a_night_it_may_be_canceled(fake_hours):
    async with scripted_twilio(TOO_FAST, PLACED, looking=[]) as twilio, desk_at(twilio.url) as desk:
        sending = asyncio.create_task(desk.send(replace(CALL, id="late", quiet_hours=HOURS)))
        history = await desk.history()
        await history.until("late", lambda alert: "trying again" in alert.events[-1].note, 10)
        fake_hours.begin()
        await history.until("late", lambda alert: "Quiet" in alert.events[-1].note, 10)
        await desk.cancel("late")
        assert (await asyncio.wait_for(sending, 10)).status == "canceled"
    assert len(twilio.posts) == 1
