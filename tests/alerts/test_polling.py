"""Polling one call or text: what is reported, and when it stops."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from alerts import Status
from alerts.steps.polling import WITH_CALLBACKS, PollIntervals, PollSchedule
from tests.support.pollers import Reports, one, poller_at, polling_tasks
from tests.support.scripted_twilio import PLACED, Answer, at, scripted_twilio
from tests.support.waiting import until

GONE = Answer(404, {"code": 20404, "message": "The requested resource was not found"})
BROKEN = Answer(503)

FINAL = {status for status in Status if status.final}


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    monkeypatch.setattr("alerts.steps.polling.WITHOUT_CALLBACKS", PollIntervals(0.05, 1.25, 0.5))


async def story(*looking, channel="call", ago=timedelta()):
    """Poll up to a final status; the events that were reported, and the number of polls."""
    reports = Reports()
    async with (
        scripted_twilio(PLACED, looking=list(looking)) as twilio,
        poller_at(twilio.url, reports) as poller,
    ):
        with poller.polling(one(channel=channel, ago=ago)):
            await until(lambda: set(reports.words()) & FINAL)
            await until(lambda: not polling_tasks())
    return reports.of("one"), twilio.looks


async def test_step_by_step_and_nothing_twice():
    events, looks = await story(
        at("queued"), at("ringing"), at("ringing"), at("in-progress"), at("completed")
    )
    assert [(event.status, event.note) for event in events] == [
        ("ringing", "Ringing"),
        ("answered", "Answered"),
        ("completed", "Call ended"),
    ]
    assert {(event.source, event.try_number) for event in events} == {("poll", 1)}
    assert events[-1].answered_by == ""
    assert looks == 5


async def test_who_answered_is_news():
    events, _ = await story(
        at("in-progress"),
        at("in-progress", answered_by="machine_end_beep"),
        at("completed", answered_by="machine_end_beep"),
    )
    assert [(event.status, event.answered_by) for event in events] == [
        ("answered", None),
        ("answered", "machine_end_beep"),
        ("completed", "machine_end_beep"),
    ]


async def test_ends_of_a_text():
    events, _ = await story(at("sent"), at("undelivered", error_code=30006), channel="text")
    assert [event.status for event in events] == ["failed"]
    assert events[0].error.code == 30006
    assert "landline" in events[0].error.hint


async def test_what_is_missing_twice_is_lost():
    events, looks = await story(at("ringing"), GONE)
    assert [event.status for event in events] == ["ringing", "unknown"]
    assert events[-1].error.code == 20404
    assert looks == 3


async def test_what_is_missing_once_may_be_too_new():
    events, _ = await story(GONE, at("ringing"), GONE, at("completed"))
    assert [event.status for event in events] == ["ringing", "completed"]


async def test_an_outage_changes_nothing():
    events, _ = await story(at("ringing"), BROKEN, Answer(0), Answer(0), at("completed"))
    assert [event.status for event in events] == ["ringing", "completed"]


async def test_twilio_is_unreachable_for_a_while():
    reports = Reports()
    async with (
        scripted_twilio(PLACED, looking=[at("ringing"), at("completed")]) as twilio,
        poller_at(twilio.url, reports) as poller,
    ):
        with poller.polling(one()):
            await until(lambda: reports.events)
            await twilio.stop()
            await asyncio.sleep(0.3)  # the next look is due within it
            await twilio.start()
            await until(lambda: reports.words() == ["ringing", "completed"])


async def test_refused_credentials_are_not_the_alerts_fault(caplog):
    refused = Answer(401, {"code": 20003, "message": "Authenticate"})
    events, looks = await story(refused, refused, at("completed"))
    assert [event.status for event in events] == ["completed"]
    assert looks == 3
    assert [record.message for record in caplog.records if "look at" in record.message] == [
        "Twilio doesn't let us look at calls and texts: Twilio doesn't accept the credentials: "
        "check the account SID and the auth token or API key (Twilio error 20003)."
    ]


def sent(ago):
    return at("sent", date_sent=format_datetime(datetime.now(UTC) - ago))


@pytest.mark.parametrize(
    ("channel", "word", "hours"), [("call", "in-progress", 4), ("text", "queued", 10)]
)
async def test_no_word_of_its_end(channel, word, hours):
    in_time, _ = await story(
        at(word), at(word), at("failed"), channel=channel, ago=timedelta(hours=hours - 0.1)
    )
    assert in_time[-1].status == "failed"
    too_late, looks = await story(at(word), channel=channel, ago=timedelta(hours=hours, seconds=1))
    assert [(e.status, e.note) for e in too_late] == [
        ("unknown", "Twilio never reported how it ended")
    ]
    assert looks == 1


async def test_no_word_from_the_carrier():
    """The carrier's ten minutes begin when it gets the text, however late that is."""
    two_hours, nearly, over = (timedelta(minutes=minutes) for minutes in (120, 9, 10.1))
    in_time, _ = await story(
        at("sending"), sent(nearly), sent(nearly), at("delivered"), channel="text", ago=two_hours
    )
    assert [event.status for event in in_time] == ["delivered"]
    too_late, looks = await story(sent(over), channel="text", ago=two_hours)
    assert [event.status for event in too_late] == ["unknown"]
    assert looks == 1


def test_a_try_from_before_a_restart_is_polled_soon():
    fresh = PollSchedule(one(), WITH_CALLBACKS, now=100)
    left_behind = PollSchedule(one(ago=timedelta(minutes=1)), WITH_CALLBACKS, now=100)
    assert fresh.next_at > 110
    assert left_behind.next_at <= 102


def test_giving_up_is_on_time():
    """The last poll comes when the time is up, not a whole interval later."""
    watch = PollSchedule(one(channel="text", ago=timedelta(minutes=20)), WITH_CALLBACKS, now=100)
    watch.sent_at = datetime.now(UTC) - timedelta(minutes=9, seconds=55)
    watch.poll_again(now=100)
    assert 104 < watch.next_at <= 105


async def test_an_end_that_came_meanwhile_is_seen_however_late():
    """Such as after a restart. A poll that fails right then proves nothing."""
    events, _ = await story(BROKEN, at("completed"), ago=timedelta(hours=9))
    assert [event.status for event in events] == ["completed"]


async def test_an_account_that_stays_closed_ends_it_after_a_day():
    events, looks = await story(Answer(401), ago=timedelta(hours=29))
    assert [event.status for event in events] == ["unknown"]
    assert looks == 1
