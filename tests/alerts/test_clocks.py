"""A request that went through is found even if Twilio's clock or another machine's is off."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from alerts import replies
from alerts.callbacks import SignedForm, handle_incoming_text
from alerts.replies import ReplyPoller
from simulator import SIMULATOR_FROM_NUMBER
from tests.support.desks import ANYBODY, TEXT, desk_at
from tests.support.scripted_twilio import DROPPED, MESSAGE_SID, TEXTED, Answer, scripted_twilio
from tests.support.waiting import until

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


@pytest.mark.parametrize("minutes", [10, -10])
@pytest.mark.parametrize("is_posted", [True, False], ids=["posted", "listed"])
async def test_a_reply_right_after_the_text_while_a_clock_is_off(minutes, is_posted):
    clock = timedelta(minutes=minutes)
    taught = answer(clock, sid=EARLIER_SID, status="queued")
    reply = {"sid": "SM" + "2" * 32, "from": ANYBODY, "to": SIMULATOR_FROM_NUMBER, "body": "ok"}
    created = format_datetime(datetime.now(UTC) + clock + timedelta(seconds=5))
    row = reply | {"direction": "inbound", "status": "received", "date_created": created}
    looking = [answer(clock, messages=[row], next_page_uri=None, sid=MESSAGE_SID, status="sent")]
    async with (
        scripted_twilio(taught, TEXTED, looking=looking) as twilio,
        desk_at(twilio.url) as desk,
    ):
        await desk.send(replace(TEXT, to=ELSEWHERE))
        alert = await desk.send(replace(TEXT, acknowledge=True))
        history = await desk.history()
        if is_posted:
            fields = {name.capitalize(): value for name, value in reply.items() if name != "sid"}
            form = SignedForm("", {}, fields | {"MessageSid": reply["sid"]})
            await handle_incoming_text(history, form)
        else:
            await ReplyPoller(desk.services, history).look(await history.awaited_replies())
        assert (await history.get_all([alert.id]))[alert.id].status == "acknowledged"


async def test_replies_are_looked_for_also_after_a_clock_was_set_back(monkeypatch):
    class Earlier(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) - timedelta(hours=1)

    async def awaited() -> dict[str, datetime]:
        return {ANYBODY: datetime.now(UTC)}

    monkeypatch.setattr(replies, "SECONDS_BETWEEN_CHECKS", 0.01)
    monkeypatch.setattr(replies, "FIRST_INTERVAL_SECONDS", 0.01)
    looking = [answer(timedelta(), messages=[], next_page_uri=None)]
    async with scripted_twilio(looking=looking) as twilio, desk_at(twilio.url) as desk:
        history = await desk.history()
        monkeypatch.setattr(history, "awaited_replies", awaited)
        looked = asyncio.create_task(ReplyPoller(desk.services, history).run())
        async with asyncio.timeout(20):
            await until(lambda: twilio.looks > 1)
            monkeypatch.setattr(replies, "datetime", Earlier)
            before = twilio.looks
            await until(lambda: twilio.looks > before + 1)
        looked.cancel()
