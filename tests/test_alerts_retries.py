"""When to ask Twilio again: only where it surely did nothing, so never a second call."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.alerts_desk import CALL, TEXT, desk_at, followed
from tests.alerts_scripted_twilio import DROPPED, PLACED, TOO_FAST, Answer, at, scripted_twilio
from tests.servers import free_port


async def test_too_fast_and_then_not():
    looking = [at("completed")]
    async with (
        scripted_twilio(TOO_FAST, PLACED, looking=looking) as twilio,
        desk_at(twilio.url) as desk,
    ):
        alert = await followed(desk, CALL)
    assert [event.status for event in alert.events] == ["queued", "sending", "placed", "completed"]
    assert alert.error is None
    assert len(twilio.posts) == 2
    assert twilio.posts[0] == twilio.posts[1]


async def test_too_fast_to_the_last():
    hurry = replace(TOO_FAST, headers={"Retry-After": "0.1"})
    async with scripted_twilio(hurry, looking=[]) as twilio, desk_at(twilio.url) as desk:
        alert = await desk.send(CALL)
    assert (alert.status, alert.sid) == ("failed", None)
    assert alert.error is not None
    assert alert.error.code == 20429
    assert len(twilio.posts) == 3


async def test_nobody_listens():
    async with desk_at(f"http://127.0.0.1:{free_port()}") as desk:
        alert = await desk.send(TEXT)
    assert (alert.status, alert.sid) == ("failed", None)
    assert alert.error is not None
    assert "nothing was sent" in alert.error.message
    assert alert.error.hint


async def test_nobody_listens_and_then_somebody_does():
    async with scripted_twilio(PLACED, looking=[at("completed")]) as twilio:
        await twilio.stop()
        async with desk_at(twilio.url) as desk:
            sending = asyncio.create_task(desk.send(CALL))
            await asyncio.sleep(0.2)  # the first try has failed by then, the second has not begun
            await twilio.start()
            assert (await sending).status == "placed"
    assert len(twilio.posts) == 1


UNCERTAIN = {
    "dropped": DROPPED,
    "a server error": Answer(503, {"message": "Service Unavailable"}),
    "no SID": Answer(201, {"status": "queued"}),
}


@pytest.mark.parametrize("answer", UNCERTAIN.values(), ids=UNCERTAIN.keys())
@pytest.mark.parametrize("request_", [CALL, TEXT], ids=["call", "text"])
async def test_no_second_call_where_the_first_may_have_gone_through(answer, request_):
    async with scripted_twilio(answer, PLACED, looking=[]) as twilio, desk_at(twilio.url) as desk:
        alert = await desk.send(replace(request_, id="batch 7"))
        again = await desk.send(replace(request_, id="batch 7"))
    assert again is alert
    assert (alert.status, alert.sid) == ("unknown", None)
    assert alert.error is not None
    assert "recent calls and messages" in alert.error.hint
    assert len(twilio.posts) == 1
