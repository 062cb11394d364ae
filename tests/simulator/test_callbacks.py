"""What Twilio tells the caller's server about a call, and how badly that can go."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.support.document_server import Asked, Documents, document_server
from tests.support.servers import free_port
from tests.support.simulator_line import TO, Line, codes, simulator_line
from tests.support.stepped_exchange import frozen_exchange
from tests.support.stepped_exchange import place as place_in

EVENTS = ["initiated", "ringing", "answered", "completed"]
SHORT = "<Response><Pause length='70'/></Response>"
LONG = "<Response><Pause length='90'/></Response>"


@pytest.fixture
def documents():
    with document_server() as opened:
        opened.put("/told", "")
        yield opened


def sequence(told: list[Asked]) -> list[int]:
    return [int(asked.said()["SequenceNumber"]) for asked in told]


def place(line: Line, documents: Documents, to: str = TO, **options) -> str:
    options = {"status_callback_event": EVENTS, "twiml": SHORT} | options
    return line.place(to, status_callback=documents.url + "/told", **options)


def set_faults(line: Line, **faults: float) -> None:
    answer = line.http.post("/simulator/callbacks", json=faults)
    assert answer.status_code == 200
    assert faults.items() <= answer.json()["faults"].items()


def test_all_events_are_told_in_order(line: Line, documents: Documents):
    sid = place(line, documents)
    told = documents.wait_for("/told", 4)
    said = [asked.said() for asked in told]
    statuses = ["initiated", "ringing", "in-progress", "completed"]
    assert [fields["CallStatus"] for fields in said] == statuses
    assert sequence(told) == [0, 1, 2, 3]
    for fields in said:
        assert (fields["CallSid"], fields["To"]) == (sid, TO)
        assert fields["CallbackSource"] == "call-progress-events"
        assert parsedate_to_datetime(fields["Timestamp"])
    assert said[3]["CallDuration"] == line.finished(sid)["duration"]
    assert said[3]["Duration"] == "2"
    assert "CallDuration" not in said[2]


@pytest.mark.parametrize("events", [[], ["nonsense"], ["completed"]])
def test_by_default_only_the_end_is_told(line: Line, documents: Documents, events):
    line.finished(place(line, documents, status_callback_event=events))
    (told,) = documents.wait_for("/told", 1)
    assert told.said()["CallStatus"] == "completed"
    assert told.said()["SequenceNumber"] == "0"


@pytest.mark.parametrize(
    ("to", "statuses"),
    [
        ("+14125550101", ["initiated", "ringing", "busy"]),
        ("+14125550102", ["initiated", "ringing", "no-answer"]),
        ("+14125550105", ["initiated", "failed"]),
    ],
)
def test_the_end_is_told_whatever_it_is(line: Line, documents: Documents, to, statuses):
    place(line, documents, to)
    told = documents.wait_for("/told", len(statuses))
    assert [asked.said()["CallStatus"] for asked in told] == statuses


def test_a_canceled_call_is_told(line: Line, documents: Documents):
    with simulator_line(speed=1) as slow:
        sid = place(slow, documents, status_callback_event=["completed"])
        slow.twilio.calls(sid).update(status="canceled")
        (told,) = documents.wait_for("/told", 1)
    assert told.said()["CallStatus"] == "canceled"


def test_callbacks_come_twice_on_order(line: Line, documents: Documents):
    set_faults(line, twice=1)
    place(line, documents)
    assert sequence(documents.wait_for("/told", 8)) == [0, 0, 1, 1, 2, 2, 3, 3]


def test_callbacks_come_late_on_order(documents: Documents):
    with simulator_line(speed=2000) as line:
        set_faults(line, late=1, delay=1500)
        sid = place(line, documents)
        line.finished(sid)
        assert documents.asked("/told") == []
        assert sequence(documents.wait_for("/told", 4)) == [0, 1, 2, 3]


def test_callbacks_come_out_of_order_on_order(documents: Documents):
    with simulator_line(speed=2000) as line:
        set_faults(line, out_of_order=0.5, delay=1500, seed=4)
        place(line, documents)
        order = sequence(documents.wait_for("/told", 4))
    assert sorted(order) == [0, 1, 2, 3]
    assert order != [0, 1, 2, 3]


def test_no_connection_is_tried_twice_and_noted(line: Line):
    sid = line.place(status_callback=f"http://127.0.0.1:{free_port()}/")
    line.finished(sid)
    line.wait_for(f"Calls/{sid}", lambda _: codes(line.inside(sid)) == [11205])
    (delivery,) = line.http.get("/simulator/callbacks").json()["deliveries"]
    assert (delivery["sid"], delivery["status"], delivery["error_code"]) == (sid, None, 11205)


class FailsToConnect(httpx.ASGITransport):
    """A network on which the first `failures` connections don't come about."""

    failures = 1
    attempts = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.attempts += 1
        if self.attempts <= self.failures:
            raise httpx.ConnectError("refused")
        return await super().handle_async_request(request)


@pytest.mark.parametrize(("failures", "attempts", "expected"), [(1, 2, []), (5, 2, [11205])])
async def test_a_connection_is_tried_twice(failures: int, attempts: int, expected: list[int]):
    async def hello(request: Request) -> Response:
        return Response("<Response/>", media_type="text/xml")

    network = FailsToConnect(Starlette(routes=[Route("/a.xml", hello, methods=["POST"])]))
    network.failures = failures
    exchange = frozen_exchange(network)
    call = place_in(exchange, url="http://app.example/a.xml")
    await exchange.clock.step(60)
    assert network.attempts == attempts
    assert [trouble.code for trouble in call.troubles] == expected


def test_a_server_that_fails_is_noted(line: Line, documents: Documents):
    documents.put("/told", "", status=500)
    sid = place(line, documents, status_callback_event=["completed"])
    line.wait_for(f"Calls/{sid}", lambda _: codes(line.inside(sid)) == [15003])
    assert len(documents.asked("/told")) == 1


@pytest.mark.parametrize(
    "faults",
    [[], {"late": 2}, {"late": "1"}, {"late": True}, {"rude": 1}, {"delay": -1}, {"twice": -1}],
)
def test_callback_faults_that_cannot_be(line: Line, faults):
    answer = line.http.post("/simulator/callbacks", json=faults)
    assert (answer.status_code, answer.json()["code"]) == (400, 20001)


def test_detection_in_the_background_is_told(line: Line, documents: Documents):
    sid = line.place(
        "+14125550103",
        LONG,
        machine_detection="Enable",
        async_amd="true",
        async_amd_status_callback=documents.url + "/told",
    )
    (told,) = documents.wait_for("/told", 1)
    assert told.said()["AnsweredBy"] == "machine_start"
    assert told.said()["MachineDetectionDuration"] == "4000"
    assert told.said()["CallSid"] == sid


def test_detection_that_takes_too_long_is_unknown(line: Line):
    sid = line.place("+14125550103", machine_detection="Enable", machine_detection_timeout=3)
    assert line.finished(sid)["answered_by"] == "unknown"


def test_detection_is_told_to_the_document(line: Line, documents: Documents):
    url = documents.put("/amd.xml", "<Response/>")
    line.finished(line.place(url=url, machine_detection="Enable"))
    said = documents.asked("/amd.xml")[0].said()
    assert (said["AnsweredBy"], said["MachineDetectionDuration"]) == ("human", "2000")
