"""Dates go by the simulator's own clock, like durations: at any speed, and in steps."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest

from simulator import SIMULATOR_FROM_NUMBER
from simulator.clock import FURTHEST_AHEAD_SECONDS, Clock
from tests.support.document_server import document_server
from tests.support.simulator_line import TO, Line, simulator_line

A_DAY = timedelta(days=1)
# Of dates in whole seconds, and of the machine that the tests run on.
MARGIN = timedelta(seconds=5)


@pytest.fixture
def still():
    with simulator_line(speed=0) as opened:
        yield opened


def step(line: Line, by: timedelta) -> None:
    line.http.post("/simulator/clock", json={"step": by.total_seconds()})


def test_at_its_usual_speed_the_date_is_the_real_one():
    assert abs(Clock().now() - datetime.now(UTC)) < MARGIN


async def test_the_date_goes_as_fast_as_the_clock():
    clock = Clock(speed=20_000)
    before, started = clock.now(), clock.seconds()
    await clock.sleep(3600)
    clock.set_speed(0)
    passed = timedelta(seconds=clock.seconds() - started)
    assert passed >= timedelta(hours=1)
    assert abs(clock.now() - before - passed) < timedelta(minutes=5)  # 15 real milliseconds


async def test_no_two_dates_are_the_same_and_none_goes_back():
    clock = Clock(speed=0)
    dates = [clock.now() for _ in range(1000)]
    clock.set_speed(1000)
    await asyncio.sleep(0.01)
    dates += [clock.now() for _ in range(1000)]
    clock.set_speed(0)
    await clock.step(60)
    dates += [clock.now() for _ in range(1000)]
    assert dates == sorted(set(dates))


async def test_a_clock_that_ran_for_ages_still_has_a_date():
    clock = Clock(speed=0)
    await clock.step(1e12)
    ahead = clock.now() - datetime.now(UTC)
    assert abs(ahead - timedelta(seconds=FURTHEST_AHEAD_SECONDS)) < MARGIN


def test_the_dates_of_a_call_and_its_duration_agree(still: Line):
    with document_server() as documents:
        told = documents.put("/told", "")
        twiml = "<Response><Pause length='500'/></Response>"
        sid = still.place(twiml=twiml, status_callback=told, status_callback_event=["answered"])
        step(still, timedelta(hours=1))
        (answered,) = documents.wait_for("/told", 1)
    call = still.finished(sid)
    assert call["duration"] == "500"
    started, ended = (parsedate_to_datetime(call[f"{name}_time"]) for name in ("start", "end"))
    picked_up = parsedate_to_datetime(answered.said()["Timestamp"])
    assert started <= picked_up
    # Dates are in whole seconds, and the callback takes a moment of no simulated time.
    assert abs(ended - picked_up - timedelta(seconds=500)) <= timedelta(seconds=1)
    entries = still.http.get("/simulator/log").json()
    (completed,) = (entry for entry in entries if entry["event"] == "completed")
    assert abs(datetime.fromisoformat(completed["at"]) - ended) <= timedelta(seconds=1)


def test_a_step_moves_every_date(still: Line):
    def text() -> dict[str, str]:
        sent = still.twilio.messages.create(to=TO, from_=SIMULATOR_FROM_NUMBER, body="Hello")
        step(still, timedelta(seconds=10))
        found: dict[str, str] = still.http.get(still.path(f"Messages/{sent.sid}")).json()
        return found

    first = text()
    account = still.twilio.api.v2010.accounts(first["account_sid"])
    opened = account.fetch().date_created
    step(still, A_DAY)
    second = text()
    for name in ("date_created", "date_sent", "date_updated"):
        moved = parsedate_to_datetime(second[name]) - parsedate_to_datetime(first[name])
        assert abs(moved - A_DAY) < timedelta(seconds=15), name
    assert account.fetch().date_created == opened
    assert account.update(friendly_name="Shop").date_updated - opened >= A_DAY
    number = still.twilio.incoming_phone_numbers.create(area_code="412")
    assert number.date_created - opened >= A_DAY
    today = still.now().date()
    found = still.twilio.messages.list(date_sent=today)
    assert [message.sid for message in found] == [second["sid"]]


def test_a_list_is_deleted_page_by_page_while_time_stands_still(still: Line):
    for _ in range(5):
        sid = still.place()
        still.twilio.calls(sid).update(status="canceled")
    for call in still.twilio.calls.stream(page_size=2):
        assert call.delete()
    assert still.twilio.calls.list() == []
