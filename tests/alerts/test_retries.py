"""A request is repeated only if Twilio certainly did nothing, so there is never a second call."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.support.desks import CALL, TEXT, UNHURRIED, desk_at, followed
from tests.support.scripted_twilio import (
    CALL_SID,
    DROPPED,
    MESSAGE_SID,
    NOTHING,
    PLACED,
    TEXTED,
    TOO_FAST,
    Answer,
    at,
    listed,
    scripted_twilio,
)
from tests.support.servers import free_port

# Gives up soon.
IMPATIENT = {"retry_policy": replace(UNHURRIED["retry_policy"], retry_seconds=2)}


async def test_too_fast_and_then_not():
    looking = [at("completed")]
    async with (
        scripted_twilio(TOO_FAST, PLACED, looking=looking) as twilio,
        desk_at(twilio.url) as desk,
    ):
        alert = await followed(desk, CALL)
    told = [event.status for event in alert.events]
    assert told == ["queued", "sending", None, "placed", "completed"]
    assert alert.events[2].note == "Twilio asks us to wait: trying again"
    assert alert.error is None
    assert len(twilio.posts) == 2
    assert twilio.posts[0] == twilio.posts[1]


async def test_too_fast_to_the_last():
    hurry = replace(TOO_FAST, headers={"Retry-After": "0.1"})
    async with (
        scripted_twilio(hurry, looking=[]) as twilio,
        desk_at(twilio.url, **IMPATIENT) as desk,
    ):
        alert = await desk.send(CALL)
    assert (alert.status, alert.sid) == ("failed", None)
    assert alert.error is not None
    assert alert.error.code == 20429
    # For `retry_seconds`, here two, and never sooner than Twilio asks.
    assert 3 <= len(twilio.posts) <= 21


async def test_the_same_trouble_is_recorded_once():
    hurry = replace(TOO_FAST, headers={"Retry-After": "0.1"})
    async with (
        scripted_twilio(hurry, looking=[]) as twilio,
        desk_at(twilio.url, **IMPATIENT) as desk,
    ):
        alert = await desk.send(CALL)
    assert [event.status for event in alert.events] == ["queued", "sending", None, "failed"]


async def test_twilio_is_unreachable():
    async with desk_at(f"http://127.0.0.1:{free_port()}", **IMPATIENT) as desk:
        alert = await desk.send(TEXT)
    assert (alert.status, alert.sid) == ("failed", None)
    assert alert.error is not None
    assert "nothing was sent" in alert.error.message
    assert alert.error.hint


async def test_twilio_is_unreachable_and_then_comes_back():
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
async def test_what_went_through_unanswered_is_found_in_twilios_list(answer, request_):
    looking = [NOTHING, listed(request_)]
    async with (
        scripted_twilio(answer, PLACED, looking=looking) as twilio,
        desk_at(twilio.url) as desk,
    ):
        alert = await desk.send(request_)
    assert alert.sid == (CALL_SID if request_ is CALL else MESSAGE_SID)
    assert alert.events[-1].source == "lookup"
    assert len(twilio.posts) == 1


@pytest.mark.parametrize("answer", UNCERTAIN.values(), ids=UNCERTAIN.keys())
@pytest.mark.parametrize("request_", [CALL, TEXT], ids=["call", "text"])
async def test_what_never_arrived_is_asked_for_again(answer, request_):
    placed = PLACED if request_ is CALL else TEXTED
    async with (
        scripted_twilio(answer, placed, looking=[NOTHING]) as twilio,
        desk_at(twilio.url) as desk,
    ):
        alert = await desk.send(request_)
    assert alert.status == "placed"
    assert len(twilio.posts) == 2
    assert "Twilio never got it: asking again" in {event.note for event in alert.events}


@pytest.mark.parametrize("answer", UNCERTAIN.values(), ids=UNCERTAIN.keys())
@pytest.mark.parametrize("request_", [CALL, TEXT], ids=["call", "text"])
async def test_no_second_call_if_the_outcome_is_unknown(answer, request_):
    async with (
        scripted_twilio(answer, PLACED, looking=[DROPPED]) as twilio,
        desk_at(twilio.url) as desk,
    ):
        alert = await desk.send(replace(request_, id="batch 7"))
        again = await desk.send(replace(request_, id="batch 7"))
    assert again == alert
    assert (alert.status, alert.sid) == ("unknown", None)
    assert alert.error is not None
    assert "recent calls and messages" in alert.error.hint
    assert len(twilio.posts) == 1


@pytest.mark.parametrize("fields", [{"to": "+14125550198"}, {"from": "+14125550198"}])
async def test_what_is_not_ours_is_not_taken(fields):
    async with (
        scripted_twilio(DROPPED, TEXTED, looking=[listed(TEXT, **fields)]) as twilio,
        desk_at(twilio.url) as desk,
    ):
        await desk.send(TEXT)
    assert len(twilio.posts) == 2
