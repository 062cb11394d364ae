"""Step 4: what becomes of a call or text, found out by polling."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.desks import CALL, TEXT, desk_at, followed, until_over
from tests.support.scripted_twilio import DROPPED, PLACED, TEXTED, Answer, at, scripted_twilio
from tests.support.waiting import until


async def story(request, *looking):
    """Status and note of each event after Twilio had it, and the alert."""
    placed = PLACED if request.channel == "call" else TEXTED
    looks = list(looking)
    async with scripted_twilio(placed, looking=looks) as twilio, desk_at(twilio.url) as desk:
        alert = await followed(desk, request)
    assert len(twilio.posts) == 1
    told = [event for event in alert.events[3:] if event.news]
    return [(str(event.status), event.note) for event in told], alert


@pytest.mark.slow
async def test_step_by_step():
    told, alert = await story(
        CALL, at("ringing"), at("in-progress"), at("ringing"), at("completed")
    )
    assert told == [
        ("ringing", "Ringing"),
        ("answered", "Answered"),
        ("completed", "Call ended"),
    ]
    assert alert.error is None


@pytest.mark.parametrize(
    ("last", "status"),
    [
        (at("busy"), "unanswered"),
        (at("canceled"), "canceled"),
        (at("completed", answered_by="machine_end_beep"), "voicemail"),
        (at("failed"), "failed"),
    ],
)
async def test_ends_of_a_call(last, status):
    told, alert = await story(CALL, last)
    assert alert.status == status
    assert told[-1][1]
    assert (alert.error is not None) == (status == "failed")


async def test_ends_of_a_text():
    told, alert = await story(TEXT, at("sent"), at("undelivered", error_code=30006))
    assert [status for status, _ in told] == ["failed"]
    assert alert.error is not None
    assert alert.error.code == 30006
    assert "landline" in alert.error.hint


@pytest.mark.slow
async def test_twilio_will_not_say():
    gone = Answer(404, {"code": 20404, "message": "The requested resource was not found"})
    told, alert = await story(CALL, at("ringing"), gone)
    assert [status for status, _ in told] == ["ringing", "unknown"]
    assert alert.error is not None
    assert alert.error.code == 20404


@pytest.mark.slow
async def test_twilio_is_out_of_reach_for_a_while():
    """Twilio answers with errors, or not at all: the call goes on, and so do its events."""
    for alert in (await dropped_for_a_while(), await closed_for_a_while()):
        steps = [str(event.status) for event in alert.events[3:]]
        assert steps == ["ringing", "completed"]
        assert alert.error is None


async def dropped_for_a_while():
    # Two, because a GET on a dropped connection is repeated at once.
    looking = [at("ringing"), DROPPED, DROPPED, at("completed")]
    async with scripted_twilio(PLACED, looking=looking) as twilio, desk_at(twilio.url) as desk:
        alert = await followed(desk, CALL)
        assert (twilio.looks, len(twilio.posts)) == (4, 1)
        return alert


async def closed_for_a_while():
    looking = [at("ringing"), at("completed")]
    async with scripted_twilio(PLACED, looking=looking) as twilio, desk_at(twilio.url) as desk:
        alert = await desk.send(CALL)
        await until(lambda: twilio.looks)
        await twilio.stop()
        await asyncio.sleep(1)  # the next poll is due within it
        await twilio.start()
        alert = await until_over(desk, alert.id)
        assert (twilio.looks, len(twilio.posts)) == (2, 1)
        return alert
