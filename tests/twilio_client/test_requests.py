"""Every method with every parameter, against Twilio's own description of its API."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest

from tests.support.recording_server import (
    ACCOUNT_PATH,
    ACCOUNT_SID,
    CALL_SID,
    FROM,
    MESSAGE_SID,
    NUMBER_SID,
    SERVICE_SID,
    TO,
    TOKEN,
    Recorded,
    Recorder,
)
from tests.support.servers import serve
from tests.support.twilio_openapi import complaints
from twilio_client import TwilioClient

URL = "https://example.com/twiml/hello.xml?name=a%20b&c=d"
CALLBACK = "https://example.com/twilio/status"
MOMENT = datetime(2026, 3, 1, 13, 30, tzinfo=timezone(timedelta(hours=2)))


@pytest.fixture(scope="module")
def recording() -> Iterator[tuple[Recorder, str]]:
    recorder = Recorder()
    with serve(recorder) as base_url:
        yield recorder, base_url


@pytest.fixture
async def client(recording) -> AsyncIterator[TwilioClient]:
    recording[0].requests.clear()
    async with TwilioClient(ACCOUNT_SID, TOKEN, base_url=recording[1]) as client:
        yield client


@pytest.fixture
def recorder(recording: tuple[Recorder, str]) -> Recorder:
    return recording[0]


def only(recorder: Recorder) -> Recorded:
    (request,) = recorder.requests
    return request


REQUESTS: dict[str, list[dict[str, Any]]] = {
    "create_call": [
        {
            "to": TO,
            "from_": FROM,
            "url": URL,
            "method": "POST",
            "status_callback": CALLBACK,
            "status_callback_event": ["initiated", "ringing", "answered", "completed"],
            "machine_detection": "DetectMessageEnd",
            "async_amd": True,
            "async_amd_status_callback": CALLBACK,
            "timeout": 45,
            "send_digits": "wwww12*#",
        },
        {"to": TO, "from_": FROM, "twiml": "<Response><Say>Grüße & 👋</Say></Response>"},
        {"to": TO, "from_": FROM, "url": URL, "machine_detection": "Enable"},
    ],
    "update_call": [
        {"sid": CALL_SID, "status": "canceled"},
        {"sid": CALL_SID, "status": "completed"},
        {"sid": CALL_SID, "twiml": "<Response/>"},
        {"sid": CALL_SID, "url": URL, "method": "POST"},
    ],
    "fetch_call": [{"sid": CALL_SID}],
    "list_calls": [
        {
            "to": TO,
            "from_": FROM,
            "status": "in-progress",
            "started_after": MOMENT,
            "started_before": MOMENT,
            "page_size": 1000,
            "limit": 3,
        }
    ],
    "create_message": [
        {
            "to": TO,
            "from_": FROM,
            "body": "Grüße & 👋\nzweite Zeile",
            "media_url": [URL, URL],
            "status_callback": CALLBACK,
        },
        {"to": TO, "messaging_service_sid": SERVICE_SID, "body": "x"},
    ],
    "update_message": [
        {"sid": MESSAGE_SID, "body": ""},
        {"sid": "MM" + MESSAGE_SID[2:], "status": "canceled"},
    ],
    "fetch_message": [{"sid": MESSAGE_SID}],
    "list_messages": [
        {
            "to": TO,
            "from_": FROM,
            "sent_after": MOMENT,
            "sent_before": MOMENT,
            "page_size": 1,
            "limit": 3,
        }
    ],
    "find_number": [{"phone_number": FROM}],
    "update_number": [{"sid": NUMBER_SID, "sms_url": CALLBACK, "sms_method": "GET"}],
    "list_numbers": [{"limit": 3}],
    "list_caller_ids": [{"phone_number": TO, "limit": 3}],
    "fetch_account": [{}],
    "fetch_balance": [{}],
}
# Of Twilio's Messaging API, which has a description of its own.
ELSEWHERE: dict[str, list[dict[str, Any]]] = {
    "fetch_messaging_service": [{"sid": SERVICE_SID}],
    "update_messaging_service": [
        {"sid": SERVICE_SID, "inbound_request_url": CALLBACK, "inbound_method": "POST"}
    ],
}
# Changing a number takes the same form as buying it, which is described in full.
DESCRIBED_AT = {
    f"{ACCOUNT_PATH}/IncomingPhoneNumbers/{NUMBER_SID}.json": "IncomingPhoneNumbers.json"
}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [(name, each) for name, examples in REQUESTS.items() for each in examples],
)
async def test_twilio_describes_every_parameter_sent(client, recorder, name, arguments):
    result = getattr(client, name)(**arguments)
    if inspect.isawaitable(result):
        await result
    else:
        assert [item async for item in result] == []
    request = only(recorder)
    described = DESCRIBED_AT.get(request.path)
    path = f"{ACCOUNT_PATH}/{described}" if described else request.path
    assert complaints(request.method, path, request.query, request.form) == []


def test_the_requests_above_use_every_parameter_of_every_method():
    for name, method in inspect.getmembers(TwilioClient, inspect.isfunction):
        if name.startswith("_") or name == "close":
            continue
        used = {"self"}.union(*(arguments for arguments in (REQUESTS | ELSEWHERE)[name]))
        assert used == set(inspect.signature(method).parameters), name


def test_wrong_requests_are_complained_about():
    path = f"{ACCOUNT_PATH}/Calls.json"
    right = [("To", TO), ("From", FROM)]
    assert complaints("POST", path, [], right) == []
    for wrong in [
        [("To", TO)],
        [*right, ("Url", "not an address")],
        [*right, ("Method", "PUT")],
        [*right, ("Timeout", "soon")],
        [*right, ("Timeout", "5"), ("Timeout", "6")],
        [*right, ("StatusCallbackEvent", "hung-up")],
        [*right, ("MachineDetection", "On")],
        [*right, ("AsyncAmd", "True")],
        [*right, ("Voice", "alice")],
    ]:
        assert complaints("POST", path, [], wrong), wrong
    for wrong in [
        [("Status", "gone")],
        [("PageSize", "1001")],
        [("StartTime>", "2026-03-01 10:00")],
        [("StartedAfter", "2026-03-01T10:00:00Z")],
    ]:
        assert complaints("GET", path, wrong, []), wrong


async def test_a_call_is_fetched_by_get_unless_told_otherwise(client, recorder):
    await client.create_call(to=TO, from_=FROM, url=URL)
    assert only(recorder).form == [("To", TO), ("From", FROM), ("Url", URL), ("Method", "GET")]


async def test_twiml_goes_without_a_method(client, recorder):
    await client.create_call(to=TO, from_=FROM, twiml="<Response/>")
    assert [name for name, _ in only(recorder).form] == ["To", "From", "Twiml"]


async def test_each_event_is_a_field_of_its_own(client, recorder):
    await client.create_call(
        to=TO,
        from_=FROM,
        url=URL,
        status_callback=CALLBACK,
        status_callback_event=("initiated", "completed"),
    )
    events = [value for name, value in only(recorder).form if name == "StatusCallbackEvent"]
    assert events == ["initiated", "completed"]


async def test_times_are_sent_in_utc(client, recorder):
    assert [call async for call in client.list_calls(started_after=MOMENT)] == []
    assert ("StartTime>", "2026-03-01T11:30:00Z") in only(recorder).query
    assert MOMENT.astimezone(UTC).hour == 11


async def test_an_emptied_body_is_sent(client, recorder):
    await client.update_message(MESSAGE_SID, body="")
    assert only(recorder).form == [("Body", "")]


async def test_a_messaging_service(client, recorder):
    """https://www.twilio.com/docs/messaging/api/service-resource"""
    await client.fetch_messaging_service(SERVICE_SID)
    await client.update_messaging_service(SERVICE_SID, inbound_request_url=CALLBACK)
    fetched, updated = recorder.requests
    assert (fetched.method, fetched.path) == ("GET", f"/v1/Services/{SERVICE_SID}")
    assert (updated.method, updated.path) == ("POST", f"/v1/Services/{SERVICE_SID}")
    assert updated.form == [
        ("InboundRequestUrl", CALLBACK),
        ("InboundMethod", "POST"),
        ("UseInboundWebhookOnNumber", "false"),
    ]


@pytest.mark.parametrize(
    ("base_url", "host"),
    [
        ("https://api.twilio.com", "messaging.twilio.com"),
        ("https://api.dublin.ie1.twilio.com", "messaging.dublin.ie1.twilio.com"),
        ("https://api.example.com", "api.example.com"),
    ],
)
async def test_a_messaging_service_is_on_a_host_of_its_own(base_url, host):
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"sid": SERVICE_SID})

    transport = httpx.MockTransport(answer)
    async with TwilioClient(ACCOUNT_SID, TOKEN, base_url=base_url, transport=transport) as client:
        await client.fetch_messaging_service(SERVICE_SID)
        await client.fetch_account()
    assert [each.url.host for each in asked] == [host, httpx.URL(base_url).host]
