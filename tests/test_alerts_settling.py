"""A request without an answer: whose clock it goes by, what is doubtful, and who asked."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import sqlalchemy as sa

from alerts.database.tables import pace
from tests.alerts_desk import CALL, TEXT, desk_at
from tests.alerts_scripted_twilio import (
    CALL_SID,
    DROPPED,
    PLACED,
    TEXTED,
    TOO_FAST,
    listed,
    scripted_twilio,
)


@pytest.mark.parametrize("minutes", [10, -10])
async def test_a_request_is_dated_by_twilios_clock(minutes):
    """As far as its answers have told. The account's turns still go by this machine's."""
    there = datetime.now(UTC) + timedelta(minutes=minutes)
    too_fast = replace(TOO_FAST, headers={"Date": format_datetime(there, usegmt=True)})
    looking = [listed(CALL, date_created=format_datetime(there + timedelta(seconds=1)))]
    async with (
        asyncio.timeout(20),
        scripted_twilio(too_fast, DROPPED, PLACED, looking=looking) as twilio,
        desk_at(twilio.url) as desk,
    ):
        alert = await desk.send(CALL)
        history = await desk.history()
        turn = await history.read(
            lambda connection: connection.execute(sa.select(pace.c.next_at)).scalar_one()
        )
    assert abs(turn - time.time()) < 60
    assert (alert.sid, alert.events[-1].source) == (CALL_SID, "lookup")
    assert len(twilio.posts) == 2


async def test_no_second_text_where_one_has_other_words():
    """It may be ours, changed by Twilio, or another program's."""
    looking = [listed(TEXT, body="See https://shorter.example")]
    async with (
        scripted_twilio(DROPPED, TEXTED, looking=looking) as twilio,
        desk_at(twilio.url) as desk,
    ):
        alert = await desk.send(TEXT)
    assert (alert.status, alert.sid) == ("unknown", None)
    assert alert.events[-1].note == "Nobody can tell whether Twilio has it"
    assert "with other words" in str(alert.error)
    assert "recent calls and messages" in str(alert.error)
    assert len(twilio.posts) == 1
