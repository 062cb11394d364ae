"""Request bodies made to hurt, and what is answered when something breaks."""

from __future__ import annotations

import socket

import httpx
import pytest

from simulator.app import create_app
from simulator.middleware import LARGEST_REQUEST_BYTES
from tests.support.servers import serve
from tests.support.simulator_line import Line

FORM = {"content-type": "application/x-www-form-urlencoded"}


def is_refused(answer: httpx.Response) -> bool:
    return (answer.status_code, answer.json()["code"]) == (413, 20413) and answer.headers[
        "connection"
    ] == "close"


@pytest.mark.parametrize("path", ["/2010-04-01/Accounts/ACx/Calls.json", "/simulator/faults"])
@pytest.mark.parametrize("is_announced", [True, False])
def test_a_large_body_is_refused(line: Line, path: str, is_announced: bool):
    chunks = [b"a" * 100_000] * (LARGEST_REQUEST_BYTES // 100_000 + 1)
    content = b"".join(chunks) if is_announced else iter(chunks)
    assert is_refused(line.http.post(path, content=content, headers=FORM))


def test_an_announced_body_is_not_waited_for(line: Line):
    address = httpx.URL(line.base_url)
    head = f"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: {LARGEST_REQUEST_BYTES + 1}\r\n\r\n"
    with socket.create_connection((address.host, address.port or 80), timeout=5) as connection:
        connection.sendall(head.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_the_refusal_is_in_the_log(line: Line):
    line.http.post(line.path("Calls"), content=b"a" * (LARGEST_REQUEST_BYTES + 1), headers=FORM)
    (entry,) = line.http.get("/simulator/log").json()
    assert (entry["status"], entry["parameters"]) == (413, [])


def test_the_largest_body_is_taken(line: Line):
    answer = line.http.post(line.path("Calls"), content=b"a" * LARGEST_REQUEST_BYTES, headers=FORM)
    assert (answer.status_code, answer.json()["code"]) == (400, 21201)


@pytest.mark.parametrize("control", ["callbacks", "clock", "faults"])
def test_deep_json_is_refused(line: Line, control: str):
    answer = line.http.post(f"/simulator/{control}", content="[" * 100_000)
    assert (answer.status_code, answer.json()["code"]) == (400, 20001)


def test_a_broken_simulator_closes_the_connection():
    app = create_app()
    del app.state.exchange
    with serve(app) as url:
        answer = httpx.get(f"{url}/simulator/clock")
    assert (answer.status_code, answer.json()["code"]) == (500, 20500)
    assert answer.headers["connection"] == "close"
