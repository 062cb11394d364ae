"""Documents that Twilio can't use: the listener hears an apology, the call shows why."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest
from starlette.responses import StreamingResponse

from simulator import http_client
from simulator.twiml.interpreter import APOLOGY
from tests.support.document_server import Documents
from tests.support.servers import free_port
from tests.support.simulator_line import Line, codes, said, simulator_line

HELLO = "<Response><Say>Hello</Say></Response>"


@pytest.fixture(scope="module")
def line():
    with simulator_line() as opened:
        yield opened


BOMB = (
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><Response><Say>&b;</Say></Response>'
)
OUTSIDE = (
    '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><Response><Say>&a;</Say></Response>'
)


@pytest.mark.parametrize(
    ("body", "answer", "code"),
    [
        (HELLO, ("text/xml", 404), 11200),
        (HELLO, ("text/xml", 500), 11200),
        (HELLO, ("application/json", 200), 12300),
        (HELLO, ("", 200), 12300),
        ("", ("text/xml", 200), 12100),
        ("hello", ("text/xml", 200), 12100),
        ("<Response><Say>Hello</Response>", ("text/xml", 200), 12100),
        ("<Say>Hello</Say>", ("text/xml", 200), 12100),
        ("\n<?xml version='1.0'?><Response/>", ("text/xml", 200), 12100),
        ("<?xml version='1.0' encoding='klingon'?><Response/>", ("text/xml", 200), 12100),
        ("<Response><Say>\x07</Say></Response>", ("text/xml", 200), 12100),
        (BOMB, ("text/xml", 200), 12100),
        (OUTSIDE, ("text/xml", 200), 12100),
        ("<Response><Say>" + "a" * 1_000_000 + "</Say></Response>", ("text/xml", 200), 11750),
    ],
)
def test_an_unusable_document(line: Line, documents: Documents, body, answer, code):
    sid = line.place(url=documents.put("/bad.xml", body, *answer))
    heard = line.heard(sid)
    assert codes(heard) == [code]
    assert said(heard) == [APOLOGY]
    assert heard["errors"][0]["url"].endswith("/bad.xml")
    assert heard["status"] == "completed"


def test_64_kilobytes_are_allowed(line: Line, documents: Documents):
    room = 64 * 1024 - len("<Response></Response>")
    body = "<Response>" + " " * room + "</Response>"
    assert codes(line.heard(line.place(url=documents.put("/full.xml", body)))) == []
    assert codes(line.heard(line.place(url=documents.put("/over.xml", body + " ")))) == [11750]


def test_nobody_listens_there(line: Line):
    heard = line.heard(line.place(url=f"http://127.0.0.1:{free_port()}/a.xml"))
    assert codes(heard) == [11205]
    assert said(heard) == [APOLOGY]


def test_a_server_that_drips_is_given_up(line: Line, documents: Documents, monkeypatch):
    monkeypatch.setattr(http_client, "TIMEOUT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        heard = line.heard(line.place(url=f"http://127.0.0.1:{silent.getsockname()[1]}/"))
    assert codes(heard) == [11200]


def test_a_server_that_hangs_up_halfway(line: Line):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer_half() -> None:
            connection, _ = listener.accept()
            connection.recv(65536)
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 99\r\n\r\n<R"
            )
            connection.close()

        thread = threading.Thread(target=answer_half)
        thread.start()
        heard = line.heard(line.place(url=f"http://127.0.0.1:{listener.getsockname()[1]}/"))
        thread.join()
    assert codes(heard) == [11200]


def test_an_endless_document_is_cut_off(line: Line, documents: Documents):
    async def endless():
        while True:
            yield b" " * 10_000
            await asyncio.sleep(0.001)  # lets the server notice that nobody reads any more

    documents.answers["/endless"] = StreamingResponse(endless(), media_type="text/xml")
    assert codes(line.heard(line.place(url=documents.url + "/endless"))) == [11750]
