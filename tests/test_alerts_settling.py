"""A request without an answer: whose clock it goes by, and what another process asked."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import sqlalchemy as sa

from alerts.database.tables import pace
from tests.alerts_desk import CALL, desk_at
from tests.alerts_scripted_twilio import (
    CALL_SID,
    DROPPED,
    PLACED,
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
        turn = await history.read(lambda connection: connection.scalar(sa.select(pace.c.next_at)))
    assert abs(turn - time.time()) < 60
    assert (alert.sid, alert.events[-1].source) == (CALL_SID, "lookup")
    assert len(twilio.posts) == 2
