"""How TwiML is fetched over HTTP, and everything that can be wrong with it."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest
from starlette.responses import RedirectResponse, StreamingResponse

from simulator import SIMULATOR_ACCOUNT_SID, SIMULATOR_FROM_NUMBER, twiml_fetch
from simulator.conversation import APOLOGY
from tests.servers import free_port
from tests.simulator_documents import Documents, document_server
from tests.simulator_line import TO, Line, codes, said, simulator_line

HELLO = "<Response><Say>Hello</Say></Response>"


@pytest.fixture(scope="module")
def line():
    with simulator_line() as opened:
        yield opened


@pytest.fixture(scope="module")
def documents():
    with document_server() as opened:
        yield opened


def expected(sid: str) -> dict[str, str]:
    return {
        "CallSid": sid,
        "AccountSid": SIMULATOR_ACCOUNT_SID,
        "From": SIMULATOR_FROM_NUMBER,
        "To": TO,
        "CallStatus": "in-progress",
        "ApiVersion": "2010-04-01",
        "Direction": "outbound-api",
    }


def test_post_is_the_default_and_carries_a_form(line: Line, documents: Documents):
    sid = line.place(url=documents.put("/post.xml", HELLO) + "?a=1")
    assert said(line.heard(sid)) == ["Hello"]
    (asked,) = documents.asked("/post.xml")
    assert asked.method == "POST"
    assert asked.query == [("a", "1")]
    assert expected(sid).items() <= dict(asked.form).items()


def test_get_appends_to_the_query_it_finds(line: Line, documents: Documents):
    address = documents.put("/get.xml", HELLO) + "?sig=a%2Fb%2Bc&a=1&a=2"
    sid = line.place(url=address, method="GET")
    assert said(line.heard(sid)) == ["Hello"]
    (asked,) = documents.asked("/get.xml")
    assert (asked.method, asked.form) == ("GET", [])
    assert asked.query_string.startswith("sig=a%2Fb%2Bc&a=1&a=2&CallSid=")
    assert expected(sid).items() <= dict(asked.query).items()


def test_url_wins_over_twiml(line: Line, documents: Documents):
    other = "<Response><Say>Other</Say></Response>"
    sid = line.place(url=documents.put("/wins.xml", HELLO), twiml=other)
    assert said(line.heard(sid)) == ["Hello"]


@pytest.mark.parametrize(
    ("media_type", "body", "spoken"),
    [
        (
            "application/xml; charset=utf-8",
            "<Response><Say>Žluťoučký</Say></Response>",
            "Žluťoučký",
        ),
        ("text/html", HELLO, "Hello"),
        ("text/plain", HELLO, HELLO),
    ],
)
def test_the_content_type_decides(line: Line, documents: Documents, media_type, body, spoken):
    sid = line.place(url=documents.put("/type", body, media_type))
    assert said(line.heard(sid)) == [spoken]


def test_audio_is_played(line: Line, documents: Documents):
    address = documents.put("/song", b"\0" * 200_000, "audio/mpeg")
    heard = line.heard(line.place(url=address))
    assert [entry["text"] for entry in heard["transcript"] if entry["kind"] == "play"] == [address]
    assert heard["errors"] == []


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


def test_a_password_in_the_address_is_used_but_not_shown(line: Line, documents: Documents):
    address = documents.put("/locked.xml", HELLO, status=403)
    sid = line.place(url=address.replace("://", "://user:hunter2@"))
    line.finished(sid)
    assert "hunter2" not in line.http.get(f"/simulator/calls/{sid}").text
    assert "hunter2" not in line.http.get("/simulator/log").text


def test_redirects_are_followed_but_not_for_ever(line: Line, documents: Documents):
    target = documents.put("/target.xml", HELLO)
    documents.answers["/once"] = RedirectResponse(target, 302)
    documents.answers["/loop"] = RedirectResponse("/loop", 302)
    assert said(line.heard(line.place(url=documents.url + "/once"))) == ["Hello"]
    assert codes(line.heard(line.place(url=documents.url + "/loop"))) == [11215]
    assert len(documents.asked("/loop")) <= 12


def test_a_server_that_drips_is_given_up(line: Line, documents: Documents, monkeypatch):
    monkeypatch.setattr(twiml_fetch, "TIMEOUT_SECONDS", 0.3)
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


def test_the_fallback_is_asked_what_to_do(line: Line, documents: Documents):
    bad = documents.put("/broken.xml", "oops")
    fallback = documents.put("/fallback.xml", HELLO)
    heard = line.heard(line.place(url=bad, fallback_url=fallback, fallback_method="GET"))
    assert codes(heard) == [12100]
    assert said(heard) == ["Hello"]
    (asked,) = documents.asked("/fallback.xml")
    assert {"ErrorCode": "12100", "ErrorUrl": bad}.items() <= dict(asked.query).items()
