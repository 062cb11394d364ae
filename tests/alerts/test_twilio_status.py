"""What Twilio says of calls and texts, in our words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from alerts.twilio_status import (
    call_callback_update,
    call_update,
    message_callback_update,
    message_update,
)
from twilio_client import Call, Message


def call(**fields):
    return call_update(Call.from_json({"sid": "CA1", **fields}))


def text(**fields):
    return message_update(Message.from_json({"sid": "SM1", **fields}))


@pytest.mark.parametrize(
    ("word", "status", "answered_by"),
    [
        ("queued", "placed", None),
        ("ringing", "ringing", None),
        ("in-progress", "answered", None),
        ("completed", "completed", ""),
        ("busy", "unanswered", ""),
        ("failed", "failed", ""),
    ],
)
def test_who_answered_is_open_until_the_call_is_over(word, status, answered_by):
    seen = call(status=word)
    assert (seen.status, seen.answered_by) == (status, answered_by)
    assert seen.note
    assert (seen.error is not None) == (status == "failed")


@pytest.mark.parametrize("word", ["in-progress", "completed"])
@pytest.mark.parametrize("answered_by", ["human", "machine_start", "fax", "unknown"])
def test_who_answered_is_told_in_twilios_word(word, answered_by):
    seen = call(status=word, answered_by=answered_by)
    assert seen.answered_by == answered_by
    assert seen.status == ("answered" if word == "in-progress" else "completed")


def test_the_notes_say_who_answered():
    assert call(status="in-progress", answered_by="human").note == "A person answered"
    assert call(status="in-progress", answered_by="machine_end_beep").note == "A machine answered"
    assert call(status="completed", answered_by="machine_start").note == "Voicemail took the call"
    assert call(status="completed", answered_by="human").note == "Call ended"


def test_ends_of_a_text():
    failed = text(status="undelivered", error_code=30006, error_message="Landline")
    assert failed.status == "failed"
    assert failed.error
    assert (failed.error.code, failed.error.message) == (30006, "Landline")
    assert "landline" in failed.error.hint
    assert text(status="delivered").error is None
    assert text(status="delivered").answered_by is None


def test_a_status_callback_leaves_open_what_it_does_not_bring():
    over = call_callback_update({"CallStatus": "completed", "SipResponseCode": "200"})
    assert (over.status, over.answered_by, over.error) == ("completed", None, None)
    assert call_callback_update({"CallStatus": "initiated"}).status == "placed"


@pytest.mark.parametrize(
    ("fields", "code", "hint"),
    [
        ({}, None, "carrier"),
        ({"SipResponseCode": "503"}, None, "carrier"),
        ({"SipResponseCode": "404"}, None, "isn't in use"),
        ({"SipResponseCode": "404", "ErrorCode": "13227"}, 13227, "country"),
        ({"ErrorCode": "none"}, None, "carrier"),
        ({"ErrorCode": "9" * 5000}, None, "carrier"),
    ],
)
def test_why_a_call_failed(fields, code, hint):
    failed = call_callback_update({"CallStatus": "failed", **fields})
    assert failed.status == "failed"
    assert failed.error
    assert failed.error.code == code
    assert hint in failed.error.hint


def test_the_callback_of_the_detection_says_nothing_of_the_status():
    form = {"CallSid": "CA1", "AccountSid": "AC1", "MachineDetectionDuration": "3000"}
    heard = call_callback_update(form | {"AnsweredBy": "machine_end_beep"})
    assert (heard.status, heard.answered_by) == (None, "machine_end_beep")
    assert heard.note == "A machine answered"
    assert not heard.is_final
    assert call_callback_update(form | {"AnsweredBy": ""}).answered_by is None


def test_callbacks_of_a_text():
    assert message_callback_update({"MessageStatus": "delivered"}).status == "delivered"
    failed = message_callback_update({"MessageStatus": "failed", "ErrorCode": "30007"})
    assert failed.status == "failed"
    assert failed.error
    assert failed.error.code == 30007
    assert "spam" in failed.error.hint
    assert message_callback_update({}).status == "placed"


def test_an_observation_becomes_an_event():
    seen = call(status="in-progress", answered_by="human")
    event = seen.as_event(2, "callback", "CA1")
    assert (event.status, event.note, event.answered_by) == ("answered", seen.note, "human")
    assert (event.try_number, event.source, event.sid) == (2, "callback", "CA1")
    assert abs((datetime.now(UTC) - event.at).total_seconds()) < 5
    assert event.news
