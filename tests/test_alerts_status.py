"""Where an alert can stand, and what Twilio's words mean."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest

from alerts import Alert, Event, Status
from alerts.status import may_follow, status_of_call, status_of_message

TWILIO = Path(__file__).parent / "twilio_openapi" / "api-2010-04-01.openapi.json"
SCHEMAS = json.loads(TWILIO.read_text())["components"]["schemas"]

ON_THE_WAY = ["queued", "sending", "placed", "ringing", "answered"]
FINAL = ["completed", "acknowledged", "voicemail", "delivered"]
FINAL += ["unanswered", "failed", "canceled", "unknown"]

CALLS = {
    "queued": "placed",
    "ringing": "ringing",
    "in-progress": "answered",
    "completed": "completed",
    "busy": "unanswered",
    "no-answer": "unanswered",
    "canceled": "canceled",
    "failed": "failed",
}
MESSAGES = {
    "accepted": "placed",
    "scheduled": "placed",
    "queued": "placed",
    "sending": "placed",
    "sent": "placed",
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "canceled",
    # To one part of a group: no proof that everybody got it.
    "partially_delivered": "placed",
    # Of texts that come in; ours never take these.
    "receiving": "placed",
    "received": "placed",
}


def test_the_tables_hold_every_word_of_twilios():
    assert set(SCHEMAS["call_enum_status"]["enum"]) == set(CALLS)
    assert set(SCHEMAS["message_enum_status"]["enum"]) == set(MESSAGES)


@pytest.mark.parametrize(("word", "status"), CALLS.items())
def test_calls(word, status):
    assert status_of_call(word) == status
    assert status_of_call(word, "human") == status


@pytest.mark.parametrize(("word", "status"), MESSAGES.items())
def test_texts(word, status):
    assert status_of_message(word) == status


@pytest.mark.parametrize(
    "answered_by",
    ["machine_start", "machine_end_beep", "machine_end_silence", "machine_end_other"],
)
def test_a_machine_is_voicemail_once_the_call_is_over(answered_by):
    assert status_of_call("completed", answered_by) == "voicemail"
    assert status_of_call("in-progress", answered_by) == "answered"
    assert status_of_call("busy", answered_by) == "unanswered"


@pytest.mark.parametrize("word", ["", "a-word-of-tomorrow"])
def test_an_unknown_word_ends_nothing(word):
    assert not status_of_call(word).final
    assert not status_of_message(word).final


def test_which_are_final_and_which_reached_the_person():
    assert [status for status in Status if not status.final] == ON_THE_WAY
    assert [status for status in Status if status.final] == FINAL
    reached = {status for status in Status if status.reached}
    assert reached == {"completed", "acknowledged", "delivered"}


@pytest.mark.parametrize(("now", "then"), list(product(Status, Status)))
def test_forward_only_and_nothing_after_the_end(now, then):
    if now in FINAL:
        expected = False
    elif then in FINAL:
        expected = True
    else:
        expected = ON_THE_WAY.index(then) > ON_THE_WAY.index(now)
    assert may_follow(now, then) is expected


def test_no_news_changes_nothing_of_an_alert():
    queued = Event(datetime.now(UTC), Status.QUEUED, "Written")
    alert = Alert("1", "call", "+14128574309", "+14155550100", "Hello", (queued,))
    ringing = alert.with_event(Status.RINGING, "Ringing", sid="CA1")
    assert [event.status for event in ringing.events] == ["queued", "ringing"]
    assert ringing.with_event(Status.PLACED, "Late") is ringing
    assert ringing.with_event(Status.RINGING, "Twice") is ringing
    over = ringing.with_event(Status.COMPLETED, "Over")
    assert (over.status, over.sid) == ("completed", "CA1")
    assert over.with_event(Status.FAILED, "Late") is over
