"""Sending through the desk: the whole way, the same id twice, and going away."""

from __future__ import annotations

import asyncio
import gc
import re
from dataclasses import replace
from itertools import pairwise

import pytest

from access import EVERYTHING, Actor
from alerts import Status, UnusableInput
from alerts.alert import Alert
from alerts.state import may_follow
from tests.support.desks import (
    CALL,
    SERVICE_SID,
    TEXT,
    database_in,
    desk_at,
    followed,
    posts,
    simulated,
    simulated_desk,
    until_over,
    worker_of,
)
from tests.support.scripted_twilio import PLACED, Answer, at, scripted_twilio
from tests.support.waiting import until

BUSY, NEVER_ANSWERS = "+14125550101", "+14125550102"


@pytest.fixture
async def desk(tmp_path):
    async with simulated_desk(tmp_path) as open_desk:
        yield open_desk


def statuses(alert: Alert) -> list[str]:
    return [str(event.status) for event in alert.events]


async def test_a_call(desk):
    alert = await desk.send(replace(CALL, message="Hello {{ user }}", user="ann"))
    assert statuses(alert) == ["queued", "sending", "placed"]
    assert alert.sid
    assert alert.sid.startswith("CA")
    assert re.fullmatch(
        r"http://callboard.localhost/twiml/[0-9-]+-\w+-[0-9a-f]{32}\.xml", str(alert.twiml_url)
    )
    over = await until_over(desk, alert.id)
    assert over.status == "completed"
    assert over.events[:3] == alert.events
    assert (over.sid, over.twiml_url, over.error) == (alert.sid, alert.twiml_url, None)
    steps = [event.status for event in over.events if event.status]
    assert all(may_follow(now, then) for now, then in pairwise(steps))
    moments = [event.at for event in over.events]
    assert moments == sorted(moments)
    assert await desk.status(alert.id) == over
    heard = await simulated(desk, f"calls/{alert.sid}")
    assert [line["text"] for line in heard["transcript"] if line["kind"] == "say"] == [
        "Hello ann"
    ] * 3
    assert {line["voice"] for line in heard["transcript"] if line["kind"] == "say"} == {"alice"}
    assert posts(desk)[0]["Method"] == "GET"


async def test_a_text(desk):
    alert = await desk.send(TEXT)
    assert statuses(alert) == ["queued", "sending", "placed"]
    assert (alert.channel, alert.twiml_url) == ("text", None)
    assert str(alert.sid).startswith("SM")
    over = await until_over(desk, alert.id)
    assert (over.status, over.error) == ("delivered", None)
    assert posts(desk)[0]["Body"] == "Hello"


async def test_a_text_through_a_messaging_service(tmp_path):
    async with simulated_desk(tmp_path, messaging_service_sid=SERVICE_SID) as desk:
        assert (await followed(desk, TEXT)).status == "delivered"
        assert posts(desk)[0]["MessagingServiceSid"] == SERVICE_SID
        assert "From" not in posts(desk)[0]


async def test_each_alert_has_an_id_of_its_own(desk):
    alerts = await asyncio.gather(*(desk.send(TEXT) for _ in range(5)))
    assert len({alert.id for alert in alerts}) == len({alert.sid for alert in alerts}) == 5


async def test_one_id_is_one_call(desk):
    request = replace(CALL, id="batch 7")
    first, second = await asyncio.gather(desk.send(request), desk.send(request))
    again = await desk.send(replace(request, message="Something else"))
    await until_over(desk, "batch 7")
    later = await desk.send(request)
    assert first.id == "batch 7"
    assert {alert.sid for alert in (first, second, again, later)} == {first.sid}
    assert len(posts(desk)) == 1


async def test_what_was_unusable_may_be_sent_again(desk):
    request = replace(TEXT, id="batch 7", to="hello")
    outcomes = await asyncio.gather(desk.send(request), desk.send(request), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [UnusableInput] * 2
    assert await desk.status("batch 7") is None
    with pytest.raises(UnusableInput):
        desk.check(request)
    assert (await desk.send(replace(TEXT, id="batch 7"))).status == "placed"
    assert len(posts(desk)) == 1


async def test_a_caller_that_stops_waiting_stops_nothing(desk):
    sending = asyncio.create_task(desk.send(replace(CALL, id="batch 7")))
    await asyncio.sleep(0)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert (await until_over(desk, "batch 7")).status == "completed"
    assert len(posts(desk)) == 1


async def test_leaving_at_once(tmp_path, caplog, recwarn):
    async with simulated_desk(tmp_path) as desk:
        await asyncio.gather(desk.send(CALL), desk.send(TEXT))
        worker = worker_of(desk)
        assert worker.under_way == 2
    assert worker.under_way == 0
    gc.collect()
    assert (caplog.records, list(recwarn)) == ([], [])


@pytest.mark.parametrize("asked", [True, False], ids=["Twilio was asked", "not begun"])
async def test_leaving_while_a_caller_still_waits(caplog, recwarn, asked):
    slow = Answer(201, PLACED.payload, seconds=30)
    async with scripted_twilio(slow, looking=[at("queued")]) as twilio:
        async with desk_at(twilio.url) as desk:
            sending = asyncio.create_task(desk.send(replace(CALL, id="batch 7")))
            await (until(lambda: twilio.posts) if asked else asyncio.sleep(0))
        async with asyncio.timeout(5):
            (outcome,) = await asyncio.gather(sending, return_exceptions=True)
        assert isinstance(outcome, Alert)
        assert outcome.status in ({Status.SENDING} if asked else {Status.QUEUED, Status.SENDING})
    gc.collect()
    assert (caplog.records, list(recwarn)) == ([], [])


async def test_unusable_input_without_a_waiting_caller(desk, caplog):
    sending = asyncio.create_task(desk.send(replace(TEXT, to="hello")))
    await asyncio.sleep(0)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    gc.collect()
    assert caplog.records == []


async def test_who_cancels_without_reaching_twilio_is_told(tmp_path):
    async with (
        simulated_desk(tmp_path, speed=5) as desk,
        desk_at(
            "http://127.0.0.1:9", mode="observer", database_url=database_in(tmp_path)
        ) as unconnected,
    ):
        ringing = await desk.send(replace(CALL, to=NEVER_ANSWERS))
        told = await unconnected.acting_as(Actor("ann", EVERYTHING)).cancel(ringing.id)
        assert told is not None
        assert [event.note for event in told.events[-2:]] == [
            "Canceled by ann",
            "The call couldn't be ended",
        ]
        assert told.events[-1].error is not None
        assert (await until_over(desk, ringing.id)).status == "canceled"
        assert await unconnected.cancel(ringing.id) == await desk.status(ringing.id)
