"""Twilio's clock, this machine's and that of another: what went through is found by any of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import sqlalchemy as sa

from alerts.database.tables import attempts
from simulator import SIMULATOR_FROM_NUMBER
from tests.alerts_desk import ANYBODY, TEXT, database_in, desk_at
from tests.alerts_scripted_twilio import DROPPED, MESSAGE_SID, TEXTED, Answer, scripted_twilio

ELSEWHERE = "+14125550123"
EARLIER_SID = "SM" + "f" * 32


def answer(clock: timedelta, **payload) -> Answer:
    """What a Twilio whose clock is off says now."""
    date = format_datetime(datetime.now(UTC) + clock, usegmt=True)
    return Answer(200, payload, headers={"Date": date})


def listed(clock: timedelta) -> Answer:
    """Its list with the text in question, made a moment ago."""
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


@pytest.mark.parametrize("minutes", [10, -10])
async def test_another_machine_asked_whose_clock_was_off(tmp_path, minutes):
    """Its process is gone; this one looks for what it asked for."""
    database: dict[str, Any] = {"database_url": database_in(tmp_path)}
    off = timedelta(minutes=minutes)
    taught = answer(timedelta(), sid=EARLIER_SID, status="queued")
    away = Answer(0, seconds=60)
    async with scripted_twilio(taught, away, TEXTED, looking=[listed(timedelta())]) as twilio:
        async with desk_at(twilio.url, **database) as desk:
            await desk.send(replace(TEXT, to=ELSEWHERE))
            [asked] = await desk.send_all([replace(TEXT, id="asked")])
            history = await desk.history()
            await history.until("asked", lambda alert: alert.status == "sending", 10)
            # As that machine would have written it down.
            shifted = sa.update(attempts).where(attempts.c.alert_id == asked.id)
            values = {
                "at": attempts.c.at + off.total_seconds(),
                "clock_offset": attempts.c.clock_offset - off.total_seconds(),
            }
            await history.write(lambda connection: connection.execute(shifted.values(values)))
        async with desk_at(twilio.url, **database) as desk:
            history = await desk.history()
            alert = await history.until("asked", lambda alert: bool(alert.sid), 20)
            assert alert.sid == MESSAGE_SID
    assert len(twilio.posts) == 2
