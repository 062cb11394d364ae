"""Texts that wait: scheduled, sent in time, or canceled before."""

from __future__ import annotations

from datetime import timedelta

import pytest
from twilio.base.exceptions import TwilioRestException

from simulator import SIMULATOR_FROM_NUMBER
from tests.support.simulator_line import TO, Line, simulator_line

SERVICE = "MG" + "a" * 32


@pytest.fixture(scope="module")
def line():
    with simulator_line(speed=0) as opened:
        yield opened


def schedule(line: Line, **change):
    options = {
        "messaging_service_sid": SERVICE,
        "schedule_type": "fixed",
        "send_at": timedelta(minutes=10),
    } | change
    if isinstance(options["send_at"], timedelta):
        options["send_at"] += line.now()
    return line.twilio.messages.create(to=TO, body="Later", **options)


def status(line: Line, sid: str, *, after_seconds: float) -> str:
    line.http.post("/simulator/clock", json={"step": after_seconds})
    return str(line.twilio.messages(sid).fetch().status)


def test_a_text_is_sent_in_time(line: Line):
    sent = schedule(line)
    assert sent.status == "scheduled"
    assert status(line, sent.sid, after_seconds=590) == "scheduled"
    assert status(line, sent.sid, after_seconds=20) == "delivered"


def test_a_text_is_canceled_before(line: Line):
    sent = schedule(line)
    assert line.twilio.messages(sent.sid).update(status="canceled").status == "canceled"
    assert status(line, sent.sid, after_seconds=700) == "canceled"
    with pytest.raises(TwilioRestException) as refusal:
        line.twilio.messages(sent.sid).update(status="canceled")
    assert refusal.value.code == 30409
    assert line.twilio.messages(sent.sid).delete()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"messaging_service_sid": "", "from_": SIMULATOR_FROM_NUMBER}, 35118),
        ({"send_at": ""}, 35111),
        ({"send_at": "tomorrow"}, 35114),
        ({"send_at": timedelta(minutes=1)}, 35114),
        ({"send_at": timedelta(days=36)}, 35114),
    ],
)
def test_what_cannot_be_scheduled(line: Line, change, code: int):
    with pytest.raises(TwilioRestException) as refusal:
        schedule(line, **change)
    assert refusal.value.code == code
