"""Reaching the person: key presses, machines, more tries, a text, the next person, the night."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import replace

import pytest
import sqlalchemy as sa

from access import EVERYTHING, Actor
from alerts import Alert, AlertRequest, Desk, UnusableInput
from alerts.tables import rate_limits
from tests.support.desks import (
    CALL,
    TEXT,
    followed,
    posts,
    quiet_now,
    simulated,
    simulated_desk,
    until_over,
)
from tests.support.direct_sql import execute

BUSY, MACHINE, PRESSES = "+14125550101", "+14125550103", "+14125550106"
ANN, BEN = "+14125550142", "+14125550143"
AT_ONCE = 0.001


@pytest.fixture(params=[True, False], ids=["callbacks", "polling"])
async def desk(request, tmp_path):
    async with simulated_desk(tmp_path, callbacks=request.param) as opened:
        yield opened


@pytest.fixture
async def called_back(tmp_path):
    async with simulated_desk(tmp_path, callbacks=True) as opened:
        yield opened


def placed(desk: Desk) -> list[tuple[str, str]]:
    """Which numbers were called or texted, in order."""
    made = [post for post in posts(desk) if "To" in post]
    return [("text" if "Body" in post else "call", post["To"]) for post in made]


def notes(alert: Alert) -> list[str]:
    return [event.note for event in alert.events if event.news or event.status is None]


async def test_a_person_presses_1(called_back):
    alert = await followed(called_back, replace(CALL, to=PRESSES, acknowledge=True))
    assert (alert.status, alert.reached) == ("acknowledged", True)
    assert alert.events[-1].source in {"recipient", "callback"}
    assert "Pressed 1" in notes(alert)
    transcript = (await simulated(called_back, f"calls/{alert.sid}"))["transcript"]
    said = [line["text"] for line in transcript if line["kind"] == "say"]
    assert "Press 1 to confirm" in said[0]


async def test_a_listener_presses_no_key(called_back):
    alert = await followed(called_back, replace(CALL, acknowledge=True, repeat=1))
    assert (alert.status, alert.reached) == ("completed", False)


async def test_no_key_press_without_callbacks(tmp_path):
    async with simulated_desk(tmp_path) as desk:
        with pytest.raises(UnusableInput, match="Set PUBLIC_URL to ask for a key press"):
            await desk.send(replace(CALL, acknowledge=True))


async def test_a_machine_gets_the_short_message(desk):
    request = replace(CALL, to=MACHINE, message="A long story. " * 20, voicemail="Call us back.")
    alert = await followed(desk, request)
    assert (alert.status, alert.reached) == ("voicemail", False)
    assert "A machine answered: leaving the short message" in notes(alert)
    transcript = (await simulated(desk, f"calls/{alert.sid}"))["transcript"]
    said = [line["text"] for line in transcript if line["kind"] == "say"]
    assert said[-1] == "Call us back."


async def test_a_person_hears_the_whole_message_although_machines_are_looked_for(desk):
    alert = await followed(desk, replace(CALL, repeat=1, voicemail="Call us back."))
    assert (alert.status, alert.reached) == ("completed", True)
    transcript = (await simulated(desk, f"calls/{alert.sid}"))["transcript"]
    assert [line["text"] for line in transcript if line["kind"] == "say"] == ["Hello"]


async def test_it_is_tried_again_then_as_a_text_then_with_the_next_person(desk):
    request = replace(
        CALL,
        to=BUSY,
        tries=2,
        minutes_between_tries=AT_ONCE,
        then_text=True,
        then_to=(ANN,),
    )
    alert = await followed(desk, replace(request, then_text=False))
    assert placed(desk) == [("call", BUSY), ("call", BUSY), ("call", ANN)]
    assert (alert.status, alert.to, alert.try_number) == ("completed", ANN, 3)
    alert = await followed(desk, request)
    assert placed(desk)[3:] == [("call", BUSY), ("call", BUSY), ("text", BUSY)]
    assert (alert.status, alert.channel, alert.try_number) == ("delivered", "text", 3)


async def test_a_recipient_who_was_reached_is_not_tried_again(desk):
    alert = await followed(desk, replace(CALL, tries=5, minutes_between_tries=0, then_to=(ANN,)))
    assert (alert.status, placed(desk)) == ("completed", [("call", CALL.to)])


async def test_after_the_last_try_it_is_over(desk):
    alert = await followed(desk, replace(CALL, to=BUSY, tries=2, minutes_between_tries=AT_ONCE))
    assert (alert.status, alert.try_number) == ("unanswered", 2)


async def test_what_twilio_refuses_is_not_asked_for_again(desk):
    wrong = "+15005550001"
    request = replace(CALL, to=wrong, tries=3, minutes_between_tries=0, then_to=(ANN,))
    alert = await followed(desk, request)
    assert Counter(placed(desk)) == {("call", wrong): 1, ("call", ANN): 1}
    assert (alert.status, alert.error) == ("completed", None)


async def test_the_next_try_waits_its_minutes(desk):
    alert = await desk.send(replace(CALL, to=BUSY, tries=2, minutes_between_tries=60))
    alert = await until_note(desk, alert.id, "Try 2 comes at ")
    assert (alert.status, alert.try_number) == ("queued", 2)
    assert len(posts(desk)) == 1


async def until_note(desk: Desk, alert_id: str, words: str) -> Alert:
    history = await desk.history()
    return await history.until(
        alert_id, lambda alert: any(words in event.note for event in alert.events), 20
    )


@pytest.mark.parametrize("request_", [CALL, TEXT], ids=["call", "text"])
async def test_at_night_it_waits_unless_it_is_urgent(desk, request_):
    quiet = replace(request_, quiet_hours=quiet_now(request_.to))
    waiting = await desk.send(quiet)
    assert waiting.status == "queued"
    assert waiting.events[-1].note.startswith("Quiet hours")
    assert posts(desk) == []
    urgent = await desk.send(replace(quiet, urgent=True))
    assert urgent.status == "placed"


CANCELED_AT: dict[str, tuple[AlertRequest, str]] = {
    "in the night": (replace(CALL, quiet_hours=quiet_now(CALL.to)), "Quiet hours"),
    "between two tries": (replace(CALL, to=BUSY, tries=2), "Try 2 comes at"),
    "while it rings": (replace(CALL, to="+14125550102"), "Ringing"),
    "while they listen": (replace(CALL, message="word " * 700), "Answered"),
}


@pytest.mark.parametrize(("request_", "words"), CANCELED_AT.values(), ids=CANCELED_AT)
async def test_canceling_at_any_moment(tmp_path, request_, words):
    async with simulated_desk(tmp_path, callbacks=True, speed=5) as desk:
        alert = await desk.send(request_)
        await until_note(desk, alert.id, words)
        await desk.acting_as(Actor("ben", EVERYTHING)).cancel(alert.id)
        alert = await until_over(desk, alert.id)
        assert alert.status == "canceled"
        assert "Canceled by ben" in notes(alert)
        again = await desk.cancel(alert.id)
        assert again == alert
        if alert.sid:
            call = await simulated(desk, f"calls/{alert.sid}")
            assert call["status"] in {"completed", "canceled", "busy"}
        assert len(placed(desk)) <= 1


async def test_canceling_an_unknown_id(desk):
    assert await desk.cancel("never-sent") is None


async def test_a_text_under_way_cannot_be_recalled_but_nothing_more_is_tried(desk):
    gridlock = "+14125550114"
    request = replace(TEXT, to=gridlock, tries=3, minutes_between_tries=0, then_to=(ANN,))
    alert = await desk.send(request)
    await desk.cancel(alert.id)
    alert = await until_over(desk, alert.id)
    assert alert.try_number == 1
    assert placed(desk) == [("text", gridlock)]


async def test_the_rate_of_the_account_is_kept(tmp_path):
    numbers = [f"+1412555{number:04}" for number in range(21)]
    async with simulated_desk(tmp_path, texts_per_second=10) as desk:
        sent = await asyncio.gather(*(desk.send(replace(TEXT, to=number)) for number in numbers))
    told = [event for alert in sent for event in alert.events]
    moments = sorted(event.at for event in told if event.status == "sending")
    assert (moments[-1] - moments[0]).total_seconds() >= 1.9


async def test_a_slot_reserved_by_a_wrong_clock_holds_up_no_alert(tmp_path):
    async with simulated_desk(tmp_path) as desk:
        await followed(desk, TEXT)
        an_hour_ahead = sa.update(rate_limits).values(next_at=time.time() + 3600)
        await execute(desk.services.database_url, an_hour_ahead)
        assert (await followed(desk, replace(TEXT, to=ANN))).status == "delivered"
