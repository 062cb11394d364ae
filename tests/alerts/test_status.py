"""The statuses of an alert, and what Twilio's words mean for them."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import pytest

from alerts import Status
from alerts.state import may_follow
from alerts.twilio_status import status_of_call, status_of_message

TWILIO = Path(__file__).parents[1] / "support" / "openapi" / "api-2010-04-01.openapi.json"
SCHEMAS = json.loads(TWILIO.read_text())["components"]["schemas"]

ON_THE_WAY = ["queued", "sending", "placed", "ringing", "answered"]
FINAL = ["completed", "acknowledged", "hung_up", "voicemail", "delivered"]
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


@pytest.mark.parametrize(("word", "status"), MESSAGES.items())
def test_texts(word, status):
    assert status_of_message(word) == status


@pytest.mark.parametrize("word", ["", "a-word-of-tomorrow"])
def test_an_unknown_word_ends_nothing(word):
    assert not status_of_call(word).final
    assert not status_of_message(word).final


def test_which_are_final_and_which_reached_the_person():
    assert [status for status in Status if not status.final] == ON_THE_WAY
    assert [status for status in Status if status.final] == FINAL
    reached = {status for status in Status if status.reaches()}
    assert reached == {"completed", "acknowledged", "delivered"}
    assert [status for status in Status if status.reaches(acknowledge=True)] == ["acknowledged"]


@pytest.mark.parametrize(("now", "then"), list(product(Status, Status)))
def test_forward_only_and_nothing_after_the_end(now, then):
    if now in FINAL:
        expected = False
    elif then in FINAL:
        expected = True
    else:
        expected = ON_THE_WAY.index(then) > ON_THE_WAY.index(now)
    assert may_follow(now, then) is expected
