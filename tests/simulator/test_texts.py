"""Texts from the other end: what people write back, and what Twilio makes of STOP."""

from __future__ import annotations

from urllib.parse import parse_qsl

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator

from simulator import SIMULATOR_AUTH_TOKEN, SIMULATOR_FROM_NUMBER
from simulator.app import create_app
from simulator.errors import ApiError
from simulator.models.people import HELP, STARTED, STOPPED
from tests.support.document_server import Documents, document_server
from tests.support.simulator_line import TO, Line
from tests.support.stepped_exchange import frozen_exchange, text
from tests.support.twilio_schemas import assert_is

UNSUBSCRIBED = "+14125550113"


@pytest.fixture
def documents():
    with document_server() as opened:
        yield opened


def box(exchange, number: str = TO) -> list[tuple[str, str]]:
    return [(message.direction, message.body) for message in exchange.texts_of(number)]


async def test_both_sides_are_in_the_box_in_order():
    exchange = frozen_exchange()
    text(exchange, "One")
    text(exchange, "Not yours", to="+14125550150")
    exchange.receive_text(TO, SIMULATOR_FROM_NUMBER, "Two")
    text(exchange, "Three")
    assert box(exchange) == [("outbound-api", "One"), ("inbound", "Two"), ("outbound-api", "Three")]


@pytest.mark.parametrize("word", ["STOP", " stop ", "Unsubscribe", "END", "cancel", "quit"])
async def test_stop_is_obeyed_until_start(word: str):
    exchange = frozen_exchange()
    exchange.receive_text(TO, SIMULATOR_FROM_NUMBER, word)
    with pytest.raises(ApiError) as refusal:
        text(exchange)
    assert refusal.value.code == 21610
    exchange.receive_text(TO, SIMULATOR_FROM_NUMBER, word)
    exchange.receive_text(TO, SIMULATOR_FROM_NUMBER, "start")
    text(exchange)
    answers = [body for direction, body in box(exchange) if direction == "outbound-reply"]
    assert answers == [STOPPED, STARTED]


async def test_stop_is_a_word_and_not_a_part_of_one():
    exchange = frozen_exchange()
    exchange.receive_text(TO, SIMULATOR_FROM_NUMBER, "Please don't stop")
    assert len(box(exchange)) == 1
    text(exchange)


async def test_one_who_stopped_long_ago_may_start():
    exchange = frozen_exchange()
    with pytest.raises(ApiError):
        text(exchange, to=UNSUBSCRIBED)
    exchange.receive_text(UNSUBSCRIBED, SIMULATOR_FROM_NUMBER, "UNSTOP")
    text(exchange, to=UNSUBSCRIBED)


async def test_help_is_answered():
    exchange = frozen_exchange()
    exchange.receive_text(TO, SIMULATOR_FROM_NUMBER, "Help")
    assert box(exchange) == [("inbound", "Help"), ("outbound-reply", HELP)]


def test_the_api_refuses_who_texted_stop(line: Line):
    answer = line.http.post(f"/simulator/texts/{TO}", data={"Body": "STOP"})
    assert answer.status_code == 201
    with pytest.raises(TwilioRestException) as refusal:
        line.twilio.messages.create(to=TO, from_=SIMULATOR_FROM_NUMBER, body="Hello")
    assert (refusal.value.status, refusal.value.code) == (400, 21610)
    inbound = line.twilio.messages.list(from_=TO)
    assert [(message.body, message.direction) for message in inbound] == [("STOP", "inbound")]
    path = line.path(f"Messages/{inbound[0].sid}")
    assert_is("api.v2010.account.message", line.http.get(path).json())


@pytest.mark.parametrize("data", [{}, {"Body": "a" * 1601}, {"Body": "a", "To": "x"}])
def test_a_text_that_cannot_be_written(line: Line, data):
    assert line.http.post(f"/simulator/texts/{TO}", data=data).status_code == 400
    assert line.http.get("/simulator/texts/nobody").status_code == 400


def test_the_numbers_webhook_answers(line: Line, documents: Documents):
    url = documents.put("/sms.xml", "<Response><Message>Thanks</Message></Response>")
    (number,) = line.twilio.incoming_phone_numbers.list()
    number.update(sms_url=url, sms_method="POST")
    line.http.post(f"/simulator/texts/{TO}", data={"Body": "Hello 👍"})
    (asked,) = documents.wait_for("/sms.xml", 1)
    assert (asked.said()["Body"], asked.said()["From"]) == ("Hello 👍", TO)
    validator = RequestValidator(SIMULATOR_AUTH_TOKEN)
    assert validator.validate(asked.url, dict(asked.form), asked.signature)
    texts = f"/simulator/texts/{TO}"
    documents.wait_until(lambda: len(line.http.get(texts).json()) == 2, "/sms.xml")
    answer = line.http.get(texts).json()[1]
    assert (answer["body"], answer["direction"]) == ("Thanks", "outbound-reply")


def test_an_answer_in_parts_is_its_body(line: Line, documents: Documents):
    message = "<Message><Body>Thanks</Body><Media>https://example.com/a.jpg</Media></Message>"
    url = documents.put("/sms.xml", f"<Response>{message}</Response>")
    (number,) = line.twilio.incoming_phone_numbers.list()
    number.update(sms_url=url, sms_method="POST")
    line.http.post(f"/simulator/texts/{TO}", data={"Body": "Hello"})
    texts = f"/simulator/texts/{TO}"
    documents.wait_until(lambda: len(line.http.get(texts).json()) == 2, "/sms.xml")
    assert line.http.get(texts).json()[1]["body"] == "Thanks"


@pytest.mark.parametrize(
    ("to", "statuses", "error"),
    [
        (TO, ["sending", "sent", "delivered"], None),
        ("+14125550111", ["sending", "sent", "undelivered"], "30003"),
        ("+14125550114", ["sending", "failed"], "30001"),
    ],
)
def test_each_status_is_told(line: Line, documents: Documents, to, statuses, error):
    told = documents.put("/told", "")
    sid = line.twilio.messages.create(
        to=to, from_=SIMULATOR_FROM_NUMBER, body="Hello", status_callback=told
    ).sid
    said = [asked.said() for asked in documents.wait_for("/told", len(statuses))]
    assert [fields["MessageStatus"] for fields in said] == statuses
    assert {fields["MessageSid"] for fields in said} == {sid}
    assert said[-1].get("ErrorCode") == error
    validator = RequestValidator(SIMULATOR_AUTH_TOKEN)
    asked = documents.asked("/told")[0]
    assert validator.validate(asked.url, dict(asked.form), asked.signature)


def test_a_callback_nobody_takes_is_noted(line: Line, documents: Documents):
    documents.put("/refused", "", status=400)
    url = documents.url + "/refused"
    line.twilio.messages.create(
        to=TO, from_=SIMULATOR_FROM_NUMBER, body="Hello", status_callback=url
    )
    documents.wait_for("/refused", 3)
    texts = f"/simulator/texts/{TO}"
    documents.wait_until(lambda: len(line.http.get(texts).json()[0]["errors"]) == 3, "/refused")
    assert {error["code"] for error in line.http.get(texts).json()[0]["errors"]} == {15003}


@pytest.mark.parametrize(
    ("number", "reply"), [("+14125550115", "1"), ("+14125550116", "STOP"), (TO, None)]
)
async def test_some_people_reply(number: str, reply: str | None):
    exchange = frozen_exchange()
    text(exchange, "Reply 1", to=number)
    await exchange.clock.step(2.5)
    assert [direction for direction, _ in box(exchange, number)] == ["outbound-api"]
    await exchange.clock.step(3)
    assert ("inbound", reply) in box(exchange, number) or reply is None
    # What Twilio answers to STOP isn't replied to.
    await exchange.clock.step(60)
    inbound = [body for direction, body in box(exchange, number) if direction == "inbound"]
    assert inbound == ([reply] if reply else [])


async def test_the_webhook_can_be_there_from_the_start():
    asked: list[tuple[str, bytes]] = []

    async def webhook(request: Request) -> Response:
        asked.append((request.headers["x-twilio-signature"], await request.body()))
        return Response("<Response/>", media_type="text/xml")

    web = httpx.ASGITransport(app=Starlette(routes=[Route("/sms", webhook, methods=["POST"])]))
    exchange = create_app(
        speed=0, fetch_transport=web, sms_url="http://callboard.localhost/sms"
    ).state.exchange
    exchange.receive_text(TO, SIMULATOR_FROM_NUMBER, "1")
    await exchange.clock.step(1)
    [(signature, body)] = asked
    form = dict(parse_qsl(body.decode()))
    assert (form["From"], form["To"], form["Body"]) == (TO, SIMULATOR_FROM_NUMBER, "1")
    validator = RequestValidator(SIMULATOR_AUTH_TOKEN)
    assert validator.validate("http://callboard.localhost/sms", form, signature)
