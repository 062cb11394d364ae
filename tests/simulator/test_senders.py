"""Who a text comes from: a number, a short code, a name, or what a Messaging Service chooses."""

from __future__ import annotations

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator

from simulator import SIMULATOR_AUTH_TOKEN, SIMULATOR_FROM_NUMBER
from simulator.app import create_app
from simulator.models.phone_numbers import read_sender
from tests.support.document_server import document_server
from tests.support.simulator_line import TO, Line, simulator_line
from tests.support.twilio_schemas import assert_is

SERVICE = "MG" + "a" * 32
SHORT_CODE, BRITISH = "72525", "+447911123456"


@pytest.fixture(scope="module")
def line():
    with simulator_line(short_codes=[SHORT_CODE]) as opened:
        yield opened


@pytest.mark.parametrize(
    ("written", "sender"),
    [
        (" (724) 867-5309", SIMULATOR_FROM_NUMBER),
        ("72525", "72525"),
        (" 72525 ", "72525"),
        ("123", "123"),
        ("My Company", "My Company"),
        ("R&D_2 +-x", "R&D_2 +-x"),
        ("a", "a"),
        ("4you", "4you"),
        ("12", None),
        ("twelve chars", None),
        ("Grüezi", None),
        ("a/b", None),
        ("12 34", None),
        ("72525\n", "72525"),
        ("whatsapp:+14125550100", None),
        ("", None),
    ],
)
def test_what_a_sender_may_be(written: str, sender: str | None):
    assert read_sender(written) == sender


@pytest.mark.parametrize(
    ("to", "from_"),
    [(TO, SIMULATOR_FROM_NUMBER), (TO, SHORT_CODE), (BRITISH, "My Company"), (BRITISH, SHORT_CODE)],
)
@pytest.mark.parametrize("service", ["", SERVICE])
def test_the_sender_is_kept(line: Line, to: str, from_: str, service: str):
    texts = line.twilio.messages
    sent = texts.create(to=to, from_=from_, body="Hello", messaging_service_sid=service)
    assert (sent.from_, sent.messaging_service_sid) == (from_, service or None)
    assert (sent.status, sent.num_segments) == ("queued", "1")
    over = line.wait_for(f"Messages/{sent.sid}", lambda text: text["status"] == "delivered")
    assert_is("api.v2010.account.message", over)
    assert over["from"] == from_
    assert sent.sid in {text.sid for text in texts.list(from_=from_)}


@pytest.mark.parametrize(
    ("from_", "code"),
    [("+14125550107", 21606), ("12345", 21606), ("My Company", 21612), ("No/Company", 21212)],
)
@pytest.mark.parametrize("service", ["", SERVICE])
def test_a_sender_that_is_not_ours(line: Line, from_: str, code: int, service: str):
    with pytest.raises(TwilioRestException) as refusal:
        line.twilio.messages.create(to=TO, from_=from_, body="Hello", messaging_service_sid=service)
    assert refusal.value.code == code


@pytest.mark.parametrize(("from_", "code"), [(SHORT_CODE, 21212), ("My Company", 21212)])
def test_nobody_calls_from_them(line: Line, from_: str, code: int):
    with pytest.raises(TwilioRestException) as refusal:
        line.place(from_=from_)
    assert refusal.value.code == code


def test_a_short_code_is_listed_changed_and_answered():
    with simulator_line(short_codes=[SHORT_CODE]) as own, document_server() as documents:
        (code,) = own.twilio.short_codes.list()
        assert own.twilio.short_codes.list(short_code="12345") == []
        assert (code.short_code, code.friendly_name, code.sms_url) == (SHORT_CODE, SHORT_CODE, "")
        url = documents.put("/reply", "<Response><Message>Thanks</Message></Response>")
        changed = own.twilio.short_codes(code.sid).update(sms_url=url, friendly_name="Votes")
        assert (changed.sms_url, changed.friendly_name) == (url, "Votes")
        assert own.twilio.short_codes(code.sid).fetch().sms_url == url
        with pytest.raises(TwilioRestException):
            own.twilio.short_codes(code.sid).update(sms_url="nowhere")
        own.http.post(f"/simulator/texts/{TO}", data={"Body": "Blue", "To": SHORT_CODE})
        (asked,) = documents.wait_for("/reply", 1)
        assert (asked.said()["To"], asked.said()["Body"]) == (SHORT_CODE, "Blue")
        validator = RequestValidator(SIMULATOR_AUTH_TOKEN)
        assert validator.validate(url, asked.said(), asked.signature)
        assert own.http.post(own.path("SMS/ShortCodes")).status_code == 405


def test_nobody_writes_to_a_name(line: Line):
    answer = line.http.post(f"/simulator/texts/{TO}", data={"Body": "Hi", "To": "My Company"})
    assert (answer.status_code, answer.json()["code"]) == (400, 21211)


@pytest.mark.parametrize("code", ["", "12", "123456789", "abc", "+12345"])
def test_what_is_no_short_code(code: str):
    with pytest.raises(ValueError, match="is not a short code"):
        create_app(short_codes=[code])
