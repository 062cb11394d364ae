"""A request that went through is found even if Twilio's clock or another machine's is off."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from simulator import SIMULATOR_FROM_NUMBER
from tests.support.desks import ANYBODY, TEXT, desk_at
from tests.support.scripted_twilio import DROPPED, MESSAGE_SID, TEXTED, Answer, scripted_twilio

ELSEWHERE = "+14125550123"
EARLIER_SID = "SM" + "f" * 32


def answer(clock: timedelta, **payload) -> Answer:
    """The Date header of a Twilio whose clock is off."""
    date = format_datetime(datetime.now(UTC) + clock, usegmt=True)
    return Answer(200, payload, headers={"Date": date})


def listed(clock: timedelta) -> Answer:
    """The list of such a Twilio, with the text that was made a moment ago."""
    created = format_datetime(datetime.now(UTC) + clock)
    row = {"sid": MESSAGE_SID, "to": ANYBODY, "from": SIMULATOR_FROM_NUMBER, "body": TEXT.message}
    message = row | {"status": "delivered", "date_created": created}
    return answer(clock, messages=[message], next_page_uri=None, sid=MESSAGE_SID, status="sent")


@pytest.mark.parametrize("minutes", [10, -10])
@pytest.mark.parametrize("is_known", [True, False], ids=["known", "not known yet"])
async def test_a_clock_that_is_off(minutes, is_known):
    clock = timedelta(minutes=minutes)
    taught = answer(clock, sid=EARLIER_SID, status="queued") if is_known else None
    answers = [*([taught] if taught else []), DROPPED, TEXTED]
    async with (
        scripted_twilio(*answers, looking=[listed(clock)]) as twilio,
        desk_at(twilio.url) as desk,
    ):
        if is_known:
            await desk.send(replace(TEXT, to=ELSEWHERE))
        alert = await desk.send(TEXT)
        assert (alert.sid, alert.events[-1].source) == (MESSAGE_SID, "lookup")
    assert len(twilio.posts) == 1 + is_known
