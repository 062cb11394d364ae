"""Key presses: what is recorded, and what the call says next."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from alerts import Event, Status
from alerts.message.call_twiml import write_second_question, write_thanks
from tests.support.callback_app import CALL, OTHER_SID, CallbackApp, callback_app, form
from tests.support.databases import sqlite_in
from twiml import Hangup, Response

NOTHING_MORE = Response(Hangup())


@pytest.fixture
async def app(tmp_path):
    async with callback_app(sqlite_in(tmp_path)) as opened:
        await opened.add()
        await opened.begin()
        yield opened


async def said(app: CallbackApp, digits: str, **fields: str) -> Response:
    answer = await app.press(digits, **fields)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    return Response.parse(answer.text)


async def test_a_one_is_proof_of_a_person(app: CallbackApp):
    await app.status(form("in-progress"))
    assert await said(app, "1") == write_thanks(CALL)
    alert = await app.alert()
    assert (alert.status, alert.reached) == (Status.ACKNOWLEDGED, True)
    pressed = alert.events[-1]
    assert (pressed.note, pressed.source, pressed.news) == ("Pressed 1", "recipient", True)
    await app.status(form("completed"))
    assert (await app.alert()).status is Status.ACKNOWLEDGED


async def test_any_other_key_and_it_asks_again(app: CallbackApp):
    await app.status(form("in-progress"))
    document = await said(app, "7")
    assert document == write_second_question(CALL, app.addresses.key_press("one", 1))
    alert = await app.alert()
    assert alert.status is Status.ANSWERED
    assert alert.events[-1].note == "Pressed 7 (not 1)"
    assert await said(app, "1") == write_thanks(CALL)
    assert (await app.alert()).status is Status.ACKNOWLEDGED


async def test_a_message_that_has_no_words_at_that_time_is_not_asked_about_again(app: CallbackApp):
    await app.add(
        "two", replace(CALL, to="+14128574310", message="{% if now == 'never' %}Hello{% endif %}")
    )
    await app.begin("two")
    assert await said(app, "7", alert_id="two", CallSid=OTHER_SID) == NOTHING_MORE
    assert (await app.alert("two")).events[-1].note == "Pressed 7 (not 1)"


async def test_the_second_question_is_filled_in(app: CallbackApp):
    await app.add("two", replace(CALL, to="+14128574310", message="It is {{ now }}"))
    await app.begin("two")
    document = await said(app, "7", alert_id="two", CallSid=OTHER_SID)
    assert "It is " in document.to_xml()
    assert "{{" not in document.to_xml()


@pytest.mark.parametrize("digits", ["*", "11", "1#", " 1", "१", "1" * 500])
async def test_only_a_one_confirms(app: CallbackApp, digits):
    assert await said(app, digits) == write_second_question(CALL, app.addresses.key_press("one", 1))
    alert = await app.alert()
    assert alert.status is Status.SENDING
    assert len(alert.events[-1].note) < 50


async def test_no_key_at_all_and_it_ends(app: CallbackApp):
    assert await said(app, "") == NOTHING_MORE
    alert = await app.alert()
    assert (alert.status, alert.events[-1].note) == (Status.SENDING, "Pressed nothing")


async def test_a_key_press_before_any_status(app: CallbackApp):
    await said(app, "1")
    assert (await app.alert()).status is Status.ACKNOWLEDGED
    assert await app.outcomes() == [("placed", "CA" + "1" * 32)]


async def test_a_key_press_in_another_call(app: CallbackApp):
    await app.status(form("in-progress"))
    assert await said(app, "1", CallSid=OTHER_SID) == NOTHING_MORE
    alert = await app.alert()
    assert (alert.status, alert.events[-1].status) == (Status.ANSWERED, None)
    assert alert.events[-1].note == f"Pressed 1, in another call or text ({OTHER_SID})"


async def test_late_when_the_next_try_is_under_way(app: CallbackApp):
    await app.add("two", replace(CALL, tries=2, to="+14128574310"))
    await app.begin("two")
    await app.status(form("completed", "CA" + "3" * 32), "two")
    assert (await app.alert("two")).try_number == 2
    assert await said(app, "1", alert_id="two", CallSid="CA" + "3" * 32) == write_thanks(CALL)
    assert (await app.alert("two")).status is Status.ACKNOWLEDGED


async def test_canceled_while_they_press(app: CallbackApp):
    await app.status(form("in-progress"))
    await app.record(Event(datetime.now(UTC), None, "Canceled by ann", "sender", canceling=True))
    await said(app, "1")
    assert (await app.alert()).status is Status.ACKNOWLEDGED


async def test_impatient_fingers(app: CallbackApp):
    """The same press is reported twice at once: both are kept, and one is news."""
    await asyncio.gather(*(said(app, "1") for _ in range(2)))
    alert = await app.alert()
    presses = [each for each in alert.events if each.note == "Pressed 1"]
    assert [each.news for each in presses] == [True, False]


async def test_the_language_is_the_messages(app: CallbackApp):
    german = replace(CALL, language="de-DE", voice="Polly.Vicki", to="+14128574311")
    await app.add("three", german)
    document = await said(app, "1", alert_id="three")
    assert 'voice="Polly.Vicki"' in document.to_xml()
    assert "Vielen Dank" in document.to_xml()


async def test_a_waiting_task_gets_the_news(app: CallbackApp):
    history = app.desk.open_history
    waiting = asyncio.create_task(history.until("one", lambda alert: alert.reached, 5))
    await asyncio.sleep(0)
    await said(app, "1")
    assert (await waiting).status is Status.ACKNOWLEDGED
