"""Injected faults, as clients meet them over HTTP and in process."""

from __future__ import annotations

import time

import httpx
import pytest
import requests
from twilio.base.exceptions import TwilioRestException

from simulator import SIMULATOR_ACCOUNT_SID, SIMULATOR_AUTH_TOKEN, SIMULATOR_FROM_NUMBER, middleware
from simulator.app import create_app
from tests.support.simulator_line import TO, Line, simulator_line

CREDENTIALS = (SIMULATOR_ACCOUNT_SID, SIMULATOR_AUTH_TOKEN)
CALL = {"To": TO, "From": SIMULATOR_FROM_NUMBER, "Twiml": "<Response/>"}
CALLS = f"/2010-04-01/Accounts/{SIMULATOR_ACCOUNT_SID}/Calls.json"


def order(line: Line, **fault) -> None:
    answer = line.http.post("/simulator/faults", json=fault)
    assert answer.status_code == 201, answer.text


def outcome(line: Line) -> int | str:
    try:
        return line.http.post(CALLS, data=CALL).status_code
    except httpx.RemoteProtocolError as error:
        return "dropped" if "without sending a response" in str(error) else str(error)


@pytest.mark.parametrize(
    ("kind", "answer", "placed"),
    [
        ("429", 429, 0),
        ("500-before", 500, 0),
        ("500-after", 500, 1),
        ("drop-before", "dropped", 0),
        ("drop-after", "dropped", 1),
        ("outage", 503, 0),
    ],
)
def test_each_kind_of_fault(shared: Line, kind: str, answer: int | str, placed: int):
    shared.http.delete("/simulator/log")
    before = len(shared.twilio.calls.list())
    order(shared, kind=kind, times=1)
    assert outcome(shared) == answer
    assert len(shared.twilio.calls.list()) == before + placed
    assert outcome(shared) == 201
    log = shared.http.get("/simulator/log").json()
    _, entry, *_ = (entry for entry in log if entry["direction"] == "in")
    assert entry["fault"] == kind
    assert entry["status"] == (None if answer == "dropped" else answer)


def test_twilios_package_reads_the_errors(line: Line):
    order(line, kind="429", retry_after=7)
    with pytest.raises(TwilioRestException) as refusal:
        line.place()
    assert (refusal.value.status, refusal.value.code) == (429, 20429)
    order(line, kind="outage")
    assert line.http.get(CALLS).json()["code"] == 20503
    line.http.delete("/simulator/faults")
    order(line, kind="drop-after")
    with pytest.raises(requests.exceptions.ConnectionError):
        line.place()
    assert len(line.twilio.calls.list()) == 1


def test_how_long_to_wait(line: Line):
    order(line, kind="429", retry_after=7)
    assert line.http.post(CALLS, data=CALL).headers["retry-after"] == "7"


def test_a_slow_answer_may_be_too_late_for_the_client(line: Line):
    order(line, kind="slow", seconds=0.5)
    with pytest.raises(httpx.ReadTimeout):
        line.http.post(CALLS, data=CALL, timeout=0.1)
    started = time.monotonic()
    while not line.twilio.calls.list():
        assert time.monotonic() < started + 10
    order(line, kind="slow", seconds=0.3)
    started = time.monotonic()
    assert outcome(line) == 201
    assert time.monotonic() - started >= 0.3


def test_an_outage_lasts_until_it_is_cleared(line: Line):
    order(line, kind="outage")
    assert [outcome(line) for _ in range(5)] == [503] * 5
    assert line.http.get("/simulator/log").status_code == 200
    (standing,) = line.http.get("/simulator/faults").json()
    assert (standing["kind"], standing["left"], standing["happened"]) == ("outage", None, 5)
    assert line.http.delete("/simulator/faults").status_code == 204
    assert outcome(line) == 201


def test_so_many_requests_of_one_method_and_path(line: Line):
    order(line, kind="429", times=2, method="post", path="*/Calls.json")
    assert line.http.get(CALLS).status_code == 200
    assert line.http.post(line.path("Messages"), data={}).status_code == 400
    assert [outcome(line) for _ in range(3)] == [429, 429, 201]
    assert line.http.get("/simulator/faults").json() == []


def test_a_rate_is_repeatable():
    def outcomes(seed: int) -> list[int | str]:
        with simulator_line() as line:
            order(line, kind="500-before", rate=0.5, seed=seed)
            return [outcome(line) for _ in range(20)]

    first = outcomes(1)
    assert first == outcomes(1) != outcomes(2)
    assert set(first) == {500, 201}


def test_the_oldest_order_wins(line: Line):
    order(line, kind="429")
    order(line, kind="500-before")
    assert [outcome(line) for _ in range(3)] == [429, 500, 201]


def test_a_server_whose_connections_are_out_of_reach(line: Line, monkeypatch):
    monkeypatch.setattr(middleware, "_connection", lambda receive: None)
    order(line, kind="drop-after")
    with pytest.raises(httpx.RemoteProtocolError):
        line.http.post(CALLS, data=CALL)
    assert len(line.twilio.calls.list()) == 1


async def test_in_process():
    transport = httpx.ASGITransport(app=create_app())
    async with httpx.AsyncClient(
        transport=transport, base_url="http://simulator", auth=CREDENTIALS
    ) as client:
        await client.post("/simulator/faults", json={"kind": "drop-after"})
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post(CALLS, data=CALL)
        assert len((await client.get(CALLS)).json()["calls"]) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"[" * 100_000,
        b'{"kind": "flood"}',
        b'{"kind": ["429"]}',
        b'{"kind": "429", "time": 1}',
        b'{"kind": "429", "times": 0}',
        b'{"kind": "429", "times": true}',
        b'{"kind": "429", "rate": 2}',
        b'{"kind": "429", "rate": NaN}',
        b'{"kind": "slow", "seconds": "5"}',
        b'{"kind": "slow", "seconds": 1e999}',
        b'{"kind": "429", "path": 4}',
        b'{"kind": "429", "method": 4}',
        b'{"kind": "429", "retry_after": -1}',
    ],
)
def test_unusable_orders(shared: Line, body: bytes):
    answer = shared.http.post("/simulator/faults", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, 20001)
    assert shared.http.get("/simulator/faults").json() == []


def test_there_is_an_end_to_orders(line: Line):
    for _ in range(100):
        order(line, kind="429")
    assert line.http.post("/simulator/faults", json={"kind": "429"}).status_code == 400


def test_only_the_owner_orders_faults():
    options = {"account_sid": SIMULATOR_ACCOUNT_SID, "auth_token": SIMULATOR_AUTH_TOKEN}
    with simulator_line(**options) as line:
        for path in ("/simulator/faults", "/simulator/clock"):
            assert line.http.post(path, json={"kind": "outage"}, auth=("", "")).status_code == 401
        assert outcome(line) == 201
