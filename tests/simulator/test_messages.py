"""Texts, judged by Twilio's own package and Twilio's own schemas."""

from __future__ import annotations

import pytest
from twilio.base.exceptions import TwilioRestException

from simulator import SIMULATOR_FROM_NUMBER
from simulator.models.message import Message, count_segments
from tests.support.simulator_line import TO, Line, simulator_line
from tests.support.twilio_schemas import assert_is

OVER = {"delivered", "undelivered", "failed"}


@pytest.fixture(scope="module")
def line():
    with simulator_line() as opened:
        yield opened


def finished(line: Line, sid: str):
    return line.wait_for(f"Messages/{sid}", lambda message: message["status"] in OVER)


@pytest.mark.parametrize(
    ("to", "statuses", "error_code"),
    [
        (TO, ["sending", "sent", "delivered"], None),
        ("+14125550111", ["sending", "sent", "undelivered"], 30003),
        ("+14125550112", ["sending", "sent", "undelivered"], 30006),
        ("+14125550114", ["sending", "failed"], 30001),
    ],
)
def test_a_text_goes_its_way(line: Line, monkeypatch, to, statuses, error_code):
    seen: list[str] = []
    become = Message.become

    def watched(message: Message, status: str, error_code: int | None = None) -> None:
        seen.append(status)
        become(message, status, error_code)

    monkeypatch.setattr(Message, "become", watched)
    created = line.twilio.messages.create(to=to, from_=SIMULATOR_FROM_NUMBER, body="Hello 👍")
    assert created.status == "queued"
    json = finished(line, created.sid)
    assert_is("api.v2010.account.message", json)
    assert seen == statuses
    fetched = line.twilio.messages(created.sid).fetch()
    assert (fetched.status, fetched.error_code) == (statuses[-1], error_code)
    assert bool(fetched.error_message) == (error_code is not None)
    assert (fetched.date_sent is None) == ("sent" not in statuses)


def test_a_messaging_service_chooses_the_sender(line: Line):
    service = "MG" + "a" * 32
    created = line.twilio.messages.create(to=TO, messaging_service_sid=service, body="Hello")
    assert (created.status, created.from_, created.num_segments) == ("accepted", None, "0")
    json = finished(line, created.sid)
    assert_is("api.v2010.account.message", json)
    assert (json["from"], json["num_segments"]) == (SIMULATOR_FROM_NUMBER, "1")
    assert json["messaging_service_sid"] == service


def test_who_texted_stop_gets_no_text(line: Line):
    with pytest.raises(TwilioRestException) as refusal:
        line.twilio.messages.create(to="+14125550113", from_=SIMULATOR_FROM_NUMBER, body="Hello")
    assert refusal.value.code == 21610


def test_pictures_make_it_an_mms(line: Line):
    created = line.twilio.messages.create(
        to=TO, from_=SIMULATOR_FROM_NUMBER, media_url=["https://example.com/cat.png"]
    )
    assert created.sid.startswith("MM")
    assert created.num_media == "1"
    assert_is("api.v2010.account.message", finished(line, created.sid))


def test_a_text_is_redacted_once_delivered(line: Line):
    created = line.twilio.messages.create(to=TO, from_=SIMULATOR_FROM_NUMBER, body="Secret")
    finished(line, created.sid)
    assert line.twilio.messages(created.sid).update(body="").body == ""
    with pytest.raises(TwilioRestException) as refusal:
        line.twilio.messages(created.sid).update(status="canceled")
    assert refusal.value.code == 30409


@pytest.mark.parametrize(
    ("body", "segments"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ж" * 70, 1),
        ("ж" * 71, 2),
        ("👍" * 35, 1),
        ("👍" * 36, 2),
    ],
)
def test_segments(body: str, segments: int):
    assert count_segments(body) == segments
