"""What each verb does, heard from the other end."""

from __future__ import annotations

import pytest

from simulator.twiml.interpreter import APOLOGY, MOST_DOCUMENTS
from tests.support.document_server import Documents
from tests.support.simulator_line import TO, Line, codes, said, simulator_line

PRESSES_1 = "+14125550106"


@pytest.fixture(scope="module")
def line():
    with simulator_line() as opened:
        yield opened


def response(*verbs: str) -> str:
    return f"<Response>{''.join(verbs)}</Response>"


def story(heard) -> list[tuple[str, str]]:
    return [(entry["kind"], entry["text"]) for entry in heard["transcript"]]


def test_verbs_keep_their_order(line: Line):
    twiml = response("<Say>a</Say>", "<Pause length='2'/>", "<Play>b.mp3</Play>", "<Say>c</Say>")
    heard = line.heard(line.place(twiml=twiml))
    assert story(heard) == [("say", "a"), ("pause", "2 s"), ("play", "b.mp3"), ("say", "c")]
    times = [entry["at"] for entry in heard["transcript"]]
    assert times == sorted(times)
    assert times[2] - times[1] >= 2


def test_say_repeats(line: Line):
    assert said(line.heard(line.place(twiml=response("<Say loop='3'>a</Say>")))) == ["a"] * 3


def test_say_for_ever_ends_with_patience(line: Line):
    # Half a minute each time, so up to 17 times; fewer on a machine that is late each time.
    sid = line.place(twiml=response("<Say loop='0'>" + "a" * 500 + "</Say>"), time_limit=600)
    assert 1 < len(said(line.heard(sid))) < 18


def test_speech_markup_is_spoken(line: Line):
    twiml = response("<Say>one <emphasis>two</emphasis> &lt;three&gt;</Say>")
    assert said(line.heard(line.place(twiml=twiml))) == ["one two <three>"]


def test_hangup_ends_it(line: Line):
    heard = line.heard(line.place(twiml=response("<Say>a</Say>", "<Hangup/>", "<Say>b</Say>")))
    assert said(heard) == ["a"]
    assert heard["transcript"][-1]["kind"] == "hangup"


@pytest.mark.parametrize(
    ("verb", "code"),
    [
        ("<say>a</say>", 12200),
        ("<Sya>a</Sya>", 12200),
        ("<Enqueue>support</Enqueue>", None),
        ("<Dial>nobody</Dial>", 13224),
        ("<Say/>", 13520),
        (f"<Say>{'a' * 3900}</Say><Say loop='two'>b</Say>", 13510),
        ("<Pause length='-1'/>", 13910),
        ("<Gather timeout='1'><Hangup/></Gather>", 13320),
    ],
)
def test_what_is_wrong_is_passed_over_with_a_warning(line: Line, verb: str, code: int | None):
    heard = line.heard(line.place(twiml=response(verb, "<Say>end</Say>")))
    assert codes(heard) == [code]
    assert heard["errors"][0]["level"] == "warning"
    assert said(heard)[-1] == "end"


def test_say_holds_4096_characters(line: Line, documents: Documents):
    fits = documents.put("/fits.xml", response(f"<Say>{'a' * 4096}</Say>"))
    over = documents.put("/over.xml", response(f"<Say>{'a' * 4097}</Say>"))
    assert codes(line.heard(line.place(url=fits))) == []
    assert codes(line.heard(line.place(url=over))) == [13520]


def test_gather_falls_through_when_nobody_presses(line: Line):
    twiml = response("<Gather timeout='7'><Say>Press 1</Say></Gather>", "<Say>Bye</Say>")
    heard = line.heard(line.place(twiml=twiml))
    assert said(heard) == ["Press 1", "Bye"]
    listening, goodbye = heard["transcript"][1:]
    assert listening["kind"] == "gather"
    assert goodbye["at"] - listening["at"] >= 7


def test_gather_hands_over_the_key(line: Line, documents: Documents):
    documents.put("/pressed.xml", response("<Say>Thank you</Say>"))
    menu = response(
        "<Gather numDigits='1' action='pressed.xml' method='GET'><Say>Press 1</Say></Gather>",
        "<Say>Nobody</Say>",
    )
    heard = line.heard(line.place(PRESSES_1, url=documents.put("/menu.xml", menu)))
    assert said(heard) == ["Press 1", "Thank you"]
    assert ("digits", "1") in story(heard)
    (asked,) = documents.asked("/pressed.xml")
    assert asked.method == "GET"
    assert dict(asked.query)["Digits"] == "1"


def test_gather_waits_for_more_keys(line: Line, documents: Documents):
    done = documents.put("/code.xml", response())
    gather = f"<Gather numDigits='4' timeout='6' action='{done}'/>"
    heard = line.heard(line.place(PRESSES_1, twiml=response(gather)))
    assert dict(documents.asked("/code.xml")[0].form)["Digits"] == "1"
    pressed, fetched = heard["transcript"][1:3]
    assert (pressed["kind"], fetched["kind"]) == ("digits", "fetch")
    assert fetched["at"] - pressed["at"] >= 6


def test_the_finishing_key_is_not_a_digit(line: Line, documents: Documents):
    done = documents.put("/finish.xml", response())
    gather = f"<Gather finishOnKey='1' actionOnEmptyResult='true' action='{done}'/>"
    line.finished(line.place(PRESSES_1, twiml=response(gather)))
    assert dict(documents.asked("/finish.xml")[0].form)["Digits"] == ""


def test_speech_alone_takes_no_keys(line: Line):
    twiml = response("<Gather input='speech' timeout='1'/>", "<Say>Bye</Say>")
    assert said(line.heard(line.place(PRESSES_1, twiml=twiml))) == ["Bye"]


def test_gather_without_action_returns_to_its_document(line: Line, documents: Documents):
    address = documents.put("/again.xml", response("<Gather numDigits='1'/>"))
    heard = line.heard(line.place(PRESSES_1, url=address))
    assert len(documents.asked("/again.xml")) == MOST_DOCUMENTS
    assert codes(heard) == [11215]


def test_redirect_goes_on_elsewhere(line: Line, documents: Documents):
    documents.put("/folder/next.xml", response("<Say>Next</Say>"))
    start = documents.put(
        "/folder/start.xml",
        response("<Redirect method='GET'>next.xml</Redirect>", "<Say>Never</Say>"),
    )
    heard = line.heard(line.place(url=start))
    assert said(heard) == ["Next"]
    assert [asked.method for asked in documents.asked("/folder/next.xml")] == ["GET"]


def test_a_redirect_loop_ends(line: Line, documents: Documents):
    heard = line.heard(line.place(url=documents.put("/loop.xml", response("<Redirect/>"))))
    assert len(documents.asked("/loop.xml")) == MOST_DOCUMENTS
    assert codes(heard) == [11215]
    assert said(heard) == [APOLOGY]


@pytest.mark.parametrize(
    "verb", ["<Redirect/>", "<Redirect>next.xml</Redirect>", "<Redirect>ftp://a/</Redirect>"]
)
def test_a_redirect_to_nowhere(line: Line, verb: str):
    heard = line.heard(line.place(TO, response(verb)))
    assert codes(heard) == [11100]
    assert said(heard) == [APOLOGY]
