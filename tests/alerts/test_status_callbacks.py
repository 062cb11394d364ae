"""Twilio's status callbacks, from a signed request to the alert's status."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from alerts import AlertRequest, Event, Status
from tests.support.callback_app import (
    CALL,
    OTHER_SID,
    SID,
    CallbackApp,
    callback_app,
    form,
)
from tests.support.databases import sqlite_in

TEXT = AlertRequest("text", "+14128574309", "Batch 7 failed")


@pytest.fixture
async def app(tmp_path):
    async with callback_app(sqlite_in(tmp_path)) as opened:
        await opened.add()
        yield opened


async def test_a_call_from_its_first_word_to_its_last(database_url):
    async with callback_app(database_url) as app:
        await app.add()
        await app.begin()
        for word in ("initiated", "ringing", "in-progress", "completed"):
            assert await app.status(form(word)) == 204
        alert = await app.alert()
        assert (alert.status, alert.sid) == (Status.COMPLETED, SID)
        told_events = [each for each in alert.events if each.source == "callback"]
        assert [each.status for each in told_events] == [
            Status.PLACED, Status.RINGING, Status.ANSWERED, Status.COMPLETED,
        ]  # fmt: skip
        assert [each.note for each in told_events][1:] == [
            "Ringing",
            "Answered",
            "Call ended",
        ]
        # The callbacks settled the submission, whose own answer never came.
        assert await app.outcomes() == [("placed", SID)]


async def test_a_text_that_does_not_arrive(app: CallbackApp):
    await app.add("text", TEXT)
    await app.begin("text")
    sid = "SM" + "1" * 32
    assert await app.status({"MessageSid": sid, "MessageStatus": "sent"}, "text") == 204
    failed = {"MessageSid": sid, "MessageStatus": "undelivered", "ErrorCode": "30003"}
    assert await app.status(failed, "text") == 204
    alert = await app.alert("text")
    assert (alert.status, alert.sid) == (Status.FAILED, sid)
    assert alert.error is not None
    assert alert.error.code == 30003


async def test_who_answered(app: CallbackApp):
    await app.add("two", replace(CALL, acknowledge=False, voicemail="Call back"))
    await app.status(form("in-progress"), "two")
    # The callback of answering-machine detection has no call status.
    await app.status({"CallSid": SID, "AnsweredBy": "machine_end_beep"}, "two")
    alert = await app.alert("two")
    assert (alert.status, alert.answered_by) == (Status.ANSWERED, "machine_end_beep")
    assert (alert.events[-1].status, alert.events[-1].note) == (None, "A machine answered")
    await app.status(form("completed"), "two")
    assert (await app.alert("two")).status is Status.VOICEMAIL


async def test_what_comes_twice_or_late_is_kept_and_changes_nothing(app: CallbackApp):
    for word in ("completed", "completed", "ringing", "initiated"):
        assert await app.status(form(word)) == 204
    alert = await app.alert()
    assert alert.status is Status.COMPLETED
    assert [each.news for each in alert.events[1:]] == [True, False, False, False]


async def test_a_call_that_is_not_the_trys(app: CallbackApp):
    await app.begin()
    await app.status(form("ringing"))
    assert await app.status(form("completed", OTHER_SID)) == 204
    alert = await app.alert()
    assert (alert.status, alert.sid) == (Status.RINGING, SID)
    assert (alert.events[-1].status, alert.events[-1].news) == (None, False)
    assert OTHER_SID in alert.events[-1].note
    assert await app.outcomes() == [("placed", SID)]


async def test_a_call_that_is_another_alerts(app: CallbackApp):
    await app.begin()
    await app.status(form("ringing"))
    await app.add("two", replace(CALL, to="+14128574310"))
    await app.begin("two")
    assert await app.status(form("completed"), "two") == 204
    alert = await app.alert("two")
    assert (alert.status, alert.sid) == (Status.SENDING, None)
    assert await app.outcomes() == [("placed", SID), (None, None)]


async def test_an_earlier_trys_call(app: CallbackApp):
    await app.add("two", replace(CALL, tries=2))
    await app.begin("two")
    await app.status(form("busy"), "two")
    await app.begin("two", 2)
    assert (await app.alert("two")).try_number == 2
    assert await app.status(form("completed"), "two") == 204
    alert = await app.alert("two")
    assert (alert.status, alert.sid, alert.events[-1].news) == (Status.SENDING, None, False)
    assert await app.outcomes() == [("placed", SID), (None, None)]
    # The try after this one hasn't been made.
    assert await app.status(form("completed"), "two", number=3) == 404


@pytest.mark.parametrize("base", ["https://callboard.example", "http://10.0.0.1:8443/a/b"])
async def test_wherever_the_app_is(tmp_path, base):
    async with callback_app(sqlite_in(tmp_path), base) as app:
        await app.add()
        assert await app.status(form("completed")) == 204
        assert (await app.alert()).status is Status.COMPLETED


ids = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=200)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ids)
@example("a&try=2#b?c d+e%2F/é;='~")
def test_an_id_may_be_any_text(tmp_path_factory, alert_id):
    async def tell() -> None:
        database = tmp_path_factory.getbasetemp() / "ids.sqlite"
        async with callback_app(f"sqlite:///{database}") as app:
            await app.add(alert_id)
            assert await app.status(form("completed"), alert_id) == 204
            assert (await app.alert(alert_id)).status is Status.COMPLETED

    asyncio.run(tell())


async def test_the_answer_to_the_request_comes_after_the_callback(app: CallbackApp):
    """The SID is known already, and stays."""
    await app.begin()
    await app.status(form("ringing"))
    now = (await app.alert()).events[-1].at
    await app.record(Event(now, Status.PLACED, "Accepted by Twilio", sid=SID))
    alert = await app.alert()
    assert (alert.status, alert.sid) == (Status.RINGING, SID)
