"""How far Twilio's clock is from ours, according to the dates of its answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.desks import twilio_client
from tests.support.scripted_twilio import Answer, scripted_twilio
from twilio_client import TwilioError
from twilio_client.responses import clock_offset

NOW = datetime(2026, 11, 23, 9, 0, 0, tzinfo=UTC)
SECONDS = st.floats(-1e7, 1e7).map(lambda seconds: timedelta(seconds=seconds))
WAITS = st.floats(0, 60).map(lambda seconds: timedelta(seconds=seconds))
A_MOMENT = timedelta(seconds=3)


def dated(offset: timedelta, status: int = 200) -> Answer:
    date = format_datetime(datetime.now(UTC) + offset, usegmt=True)
    return Answer(status, {"sid": "CA1", "status": "queued"}, headers={"Date": date})


@pytest.mark.parametrize("minutes", [10, -10])
@pytest.mark.parametrize("status", [200, 404, 503])
async def test_every_answer_tells(minutes, status):
    offset = timedelta(minutes=minutes)
    async with (
        scripted_twilio(looking=[dated(offset, status)]) as twilio,
        twilio_client(twilio.url) as client,
    ):
        assert client.clock_offset == timedelta()
        try:
            await client.fetch_call("CA1")
        except TwilioError:
            assert status != 200
        assert abs(client.clock_offset - offset) < A_MOMENT


async def test_without_a_date_nothing_is_learnt():
    nothing = Answer(200, {"sid": "CA1"}, headers={"Date": "long ago"})
    async with (
        scripted_twilio(looking=[dated(timedelta(hours=1)), nothing]) as twilio,
        twilio_client(twilio.url) as client,
    ):
        await client.fetch_call("CA1")
        known = client.clock_offset
        await client.fetch_call("CA1")
        assert client.clock_offset == known > timedelta(minutes=59)


@given(offset=SECONDS, known=SECONDS, there=WAITS, back=WAITS)
def test_the_truth_is_never_missed_by_more_than_the_answer_took(offset, known, there, back):
    asked, answered = NOW, NOW + there + back
    date = format_datetime((NOW + there + offset).replace(microsecond=0), usegmt=True)
    learnt = clock_offset(known, date, asked, answered)
    assert abs(learnt - offset) <= max(there, back) + timedelta(seconds=2)
    assert abs(learnt - offset) <= max(abs(known - offset), timedelta(seconds=2))


@given(there=WAITS, back=WAITS, late=st.floats(0, 1))
def test_a_clock_that_is_right_stays_right(there, back, late):
    written = (NOW + there - timedelta(seconds=late)).replace(microsecond=0)
    date = format_datetime(written, usegmt=True)
    assert clock_offset(timedelta(), date, NOW, NOW + there + back) == timedelta()


@given(st.text() | st.just("Mon, 01 Jan 2020 00:00:00 +99999999999999"))
def test_no_header_breaks_it(date):
    clock_offset(timedelta(), date, NOW, NOW)
    assert clock_offset(timedelta(), None, NOW, NOW) == timedelta()
