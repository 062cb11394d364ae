"""Reconciling a request without an answer: clocks, texts with other words, other processes."""

from __future__ import annotations

import asyncio
import inspect
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import sqlalchemy as sa

from alerts.services import RetryPolicy
from alerts.tables import rate_limits
from tests.support.desks import CALL, TEXT, UNHURRIED, database_in, desk_at, until_over
from tests.support.direct_sql import column
from tests.support.scripted_twilio import (
    CALL_SID,
    DROPPED,
    NOTHING,
    PLACED,
    TEXTED,
    TOO_FAST,
    at,
    listed,
    scripted_twilio,
)
from tests.support.waiting import until
from twilio_client import TwilioClient
from twilio_client.connections import WAIT_SECONDS


@pytest.mark.parametrize("minutes", [10, -10])
async def test_a_request_is_dated_by_twilios_clock(minutes):
    """Twilio's clock, as far as its answers told it. Slots are reserved by this machine's."""
    there = datetime.now(UTC) + timedelta(minutes=minutes)
    too_fast = replace(TOO_FAST, headers={"Date": format_datetime(there, usegmt=True)})
    looking = [listed(CALL, date_created=format_datetime(there + timedelta(seconds=1)))]
    async with (
        asyncio.timeout(20),
        scripted_twilio(too_fast, DROPPED, PLACED, looking=looking) as twilio,
        desk_at(twilio.url) as desk,
    ):
        alert = await desk.send(CALL)
        [slot] = await column(desk.services.database_url, sa.select(rate_limits.c.next_at))
    assert abs(slot - time.time()) < 60
    assert (alert.sid, alert.events[-1].source) == (CALL_SID, "lookup")
    assert len(twilio.posts) == 2


async def test_no_second_text_where_one_has_other_words():
    """It may be ours, changed by Twilio, or another program's text."""
    looking = [listed(TEXT, body="See https://shorter.example")]
    async with (
        scripted_twilio(DROPPED, TEXTED, looking=looking) as twilio,
        desk_at(twilio.url) as desk,
    ):
        alert = await desk.send(TEXT)
    assert (alert.status, alert.sid) == ("unknown", None)
    assert alert.events[-1].note == "Not known whether it was sent"
    assert "with other words" in str(alert.error)
    assert "recent calls and messages" in str(alert.error)
    assert len(twilio.posts) == 1


@asynccontextmanager
async def interrupted(twilio, folder, request_seconds):
    """A desk that goes on where another one stopped while its request was under way."""
    options = {
        "database_url": database_in(folder),
        "retry_policy": replace(UNHURRIED["retry_policy"], request_seconds=request_seconds),
    }
    async with desk_at(twilio.url, **options) as desk:
        sending = asyncio.create_task(desk.send(replace(CALL, id="call")))
        await until(lambda: twilio.posts)
    sending.cancel()
    async with desk_at(twilio.url, **options) as desk:
        await desk.open()
        yield desk


@pytest.mark.slow
async def test_what_another_process_asked_may_still_be_on_its_way(tmp_path):
    """Here Twilio lists the call only after `listing_seconds`."""
    slow, looking = replace(PLACED, seconds=60), [NOTHING] * 3 + [listed(CALL), at("completed")]
    async with (
        scripted_twilio(slow, PLACED, looking=looking) as twilio,
        interrupted(twilio, tmp_path, request_seconds=10) as desk,
    ):
        alert = await until_over(desk, "call")
    assert "lookup" in {event.source for event in alert.events}
    assert len(twilio.posts) == 1


async def test_what_another_process_asked_in_vain_is_asked_again(tmp_path):
    slow, looking = replace(PLACED, seconds=60), [NOTHING] * 3 + [at("completed")]
    async with (
        scripted_twilio(slow, PLACED, looking=looking) as twilio,
        interrupted(twilio, tmp_path, request_seconds=0.5) as desk,
    ):
        alert = await until_over(desk, "call")
    assert alert.status == "completed"
    assert len(twilio.posts) == 2


def test_no_request_is_on_its_way_for_longer():
    answering = inspect.signature(TwilioClient).parameters["timeout"].default
    assert RetryPolicy().request_seconds >= WAIT_SECONDS + answering
