"""How TwiML is fetched over HTTP, and what Twilio tells its server."""

from __future__ import annotations

import pytest
from starlette.responses import RedirectResponse

from simulator import SIMULATOR_ACCOUNT_SID, SIMULATOR_FROM_NUMBER
from simulator.twiml.interpreter import APOLOGY
from tests.support.document_server import Documents
from tests.support.simulator_line import TO, Line, codes, said, simulator_line

HELLO = "<Response><Say>Hello</Say></Response>"


@pytest.fixture(scope="module")
def line():
    with simulator_line() as opened:
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


def test_the_fallback_is_asked_what_to_do(line: Line, documents: Documents):
    bad = documents.put("/broken.xml", "oops")
    fallback = documents.put("/fallback.xml", HELLO)
    heard = line.heard(line.place(url=bad, fallback_url=fallback, fallback_method="GET"))
    assert codes(heard) == [12100]
    assert said(heard) == ["Hello"]
    (asked,) = documents.asked("/fallback.xml")
    assert {"ErrorCode": "12100", "ErrorUrl": bad}.items() <= dict(asked.query).items()


def test_the_fallback_is_asked_once(line: Line, documents: Documents):
    bad = documents.put("/worse.xml", "oops")
    heard = line.heard(line.place(url=bad, fallback_url=bad))
    assert codes(heard) == [12100, 12100]
    assert said(heard) == [APOLOGY]
