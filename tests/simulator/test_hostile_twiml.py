"""Documents made to hurt: the call ends with Twilio's error or by itself, soon and in bounds."""

from __future__ import annotations

import asyncio

import pytest
from starlette.responses import StreamingResponse

from simulator.models import call as call_module
from simulator.twiml.interpreter import APOLOGY, MOST_DOCUMENTS
from tests.support.document_server import Documents
from tests.support.simulator_line import Line, codes, said, simulator_line

# Nine times ten to the power of nine characters, were it let.
LAUGHS = "".join(
    f'<!ENTITY l{level} "{f"&l{level - 1};" * 10 if level else "ha"}">' for level in range(10)
)


@pytest.fixture(scope="module")
def line():
    # So fast that ten thousand verbs take a second or two.
    with simulator_line(speed=20_000) as opened:
        # The first request loads certificates, which at this speed outlasts a listener's patience.
        opened.finished(opened.place(url="http://127.0.0.1:1/"))
        yield opened


@pytest.fixture(scope="module")
def patient():
    """A slower simulator: at the speed of `line` the listener hangs up after 30 ms, in which a busy
    machine may not have fetched a document."""
    with simulator_line() as opened:
        yield opened


@pytest.mark.parametrize(
    ("body", "media_type", "code"),
    [
        (f"<!DOCTYPE r [{LAUGHS}]><Response><Say>&l9;</Say></Response>", "text/xml", 12100),
        ("<Response>" + " " * 1_000_000 + "</Response>", "text/xml", 11750),
        ("\0" * 60_000, "text/xml", 12100),
        ("<Response/>", "image/png", 12300),
        ("<a>" * 21_000, "text/xml", 12100),
    ],
)
def test_it_ends_in_twilios_error(patient: Line, documents: Documents, body, media_type, code):
    heard = patient.heard(patient.place(url=documents.put("/hostile", body, media_type)))
    assert codes(heard) == [code]
    assert said(heard) == [APOLOGY]


@pytest.mark.parametrize("status", [302, 307])
def test_the_body_of_a_redirect_is_not_read(patient: Line, documents: Documents, status: int):
    megabyte, sent = b"x" * 1_000_000, 0

    async def body():
        nonlocal sent
        for _ in range(100):
            sent += 1
            yield megabyte
            # Lets the server notice that nobody listens any more.
            await asyncio.sleep(0.001)

    target = documents.put("/target.xml", "<Response><Say>Hello</Say></Response>")
    documents.answers["/large"] = StreamingResponse(body(), status, {"location": target})
    assert said(patient.heard(patient.place(url=documents.url + "/large"))) == ["Hello"]
    # Some of it is under way in the buffers of the sockets.
    assert 0 < sent < 50


def test_deep_nesting_is_harmless(patient: Line, documents: Documents):
    depth = 9_000
    body = "<Response><Say>" + "<b>" * depth + "deep" + "</b>" * depth + "</Say></Response>"
    assert said(patient.heard(patient.place(url=documents.put("/deep.xml", body)))) == ["deep"]


@pytest.mark.parametrize("verb", ["<Say>a</Say>", "<x/>", '<Pause length="0"/>'])
def test_thousands_of_verbs_end(line: Line, documents: Documents, verb: str):
    count = (64 * 1024 - 30) // len(verb)
    url = documents.put("/many.xml", "<Response>" + verb * count + "</Response>")
    heard = line.heard(line.place(url=url))
    assert heard["status"] == "completed"
    assert len(heard["transcript"]) <= call_module.MOST_LINES
    assert len(heard["errors"]) <= call_module.MOST_TROUBLES


@pytest.mark.slow
def test_a_document_that_leads_to_itself_for_ever(patient: Line, documents: Documents):
    body = "<Response>" + "<x/>" * 10_000 + "<Redirect/></Response>"
    heard = patient.heard(patient.place(url=documents.put("/endless.xml", body)))
    assert 0 < len(documents.asked("/endless.xml")) <= MOST_DOCUMENTS
    assert heard["status"] == "completed"
    assert len(heard["errors"]) == call_module.MOST_TROUBLES


def test_an_action_that_is_no_address():
    twiml = (
        "<Response><Gather actionOnEmptyResult='true' timeout='0' action='http://['/></Response>"
    )
    # Slow enough that the listener doesn't hang up while a busy machine does something else.
    with simulator_line(speed=100) as line:
        assert codes(line.heard(line.place(twiml=twiml))) == [11100]
