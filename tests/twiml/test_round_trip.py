"""Every document's XML is well-formed, keeps its order, and reads back as an equal document."""

from __future__ import annotations

from xml.dom import minidom

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.twiml_documents import any_text, documents, evaluated, says, spoken_text
from twiml import Body, Gather, Hangup, Media, Message, P, Pause, Play, Response, S, Say, SayAs, Sub


def dom_root(xml: str) -> minidom.Element:
    """Return the root that Python's DOM parser reads from the UTF-8 that Twilio would get."""
    root = minidom.parseString(xml.encode()).documentElement  # noqa: S318 (our own document)
    assert root is not None
    return root


@given(spoken_text)
def test_any_text_is_spoken_as_one_well_formed_document(text):
    say = Say(text)
    [spoken] = dom_root(Response(say).to_xml()).getElementsByTagName("Say")
    assert tuple(node.nodeValue for node in spoken.childNodes) == say.children


@given(any_text)
def test_only_what_xml_cannot_hold_is_dropped(text):
    kept = [c for c in text if c in "\t\n\r" or (c >= " " and not "\ud800" <= c <= "\udfff")]
    expected = "".join(kept).replace("\ufffe", "").replace("\uffff", "")
    assert SayAs(text).text == expected.replace("\r\n", "\n").replace("\r", "\n")


@given(any_text)
def test_any_text_in_an_attribute_reads_back(text):
    sub = Sub("Dr", alias=text)
    root = dom_root(Response(Say("Hello ", sub)).to_xml())
    assert root.getElementsByTagName("sub")[0].getAttribute("alias") == sub.alias


@given(documents)
@settings(max_examples=200)
def test_a_round_trip_gives_an_equal_document(document):
    assert Response.parse(document.to_xml()) == document
    assert Response.parse(document.to_xml().encode()) == document


@given(documents)
def test_the_indented_form_is_the_same_document(document):
    assert Response.parse(document.to_xml(indent=True)) == document


@given(documents)
def test_order_is_kept(document):
    root = dom_root(document.to_xml())
    assert [node.nodeName for node in root.childNodes] == [c.tag for c in document.children]


@given(documents)
def test_a_repr_can_be_pasted_back(document):
    assert evaluated(repr(document)) == document


@given(st.lists(says | any_text.map(lambda text: Say(f"{text}.")), min_size=2, max_size=5))
def test_equal_documents_have_equal_hashes(given_says):
    assert hash(Response(*given_says)) == hash(Response.parse(Response(*given_says).to_xml()))


def test_equal_tags_are_not_grouped():
    document = Response(Say("one"), Pause(), Say("two"), Play("/tone.mp3"), Say("three"))
    assert document.to_xml() == (
        '<?xml version="1.0" encoding="UTF-8"?><Response><Say>one</Say><Pause/><Say>two</Say>'
        "<Play>/tone.mp3</Play><Say>three</Say></Response>"
    )


def test_text_around_ssml_keeps_its_place_and_is_escaped_once():
    document = Response(Say("Batch ", SayAs("1407", interpret_as="digits"), " & co ]]> is off."))
    assert (
        'Batch <say-as interpret-as="digits">1407</say-as> &amp; co ]]&gt; is off.'
        in document.to_xml()
    )


def test_the_indented_form_adds_no_space_to_what_is_spoken_or_sent():
    document = Response(
        Say("Batch ", SayAs("1407"), " is off."),
        Gather(Say("Press 1.\nNow."), Pause(length=1), num_digits=1),
        Say(P(S("One."), S("Two.")), P("Three.")),
        Hangup(),
    )
    assert document.to_xml(indent=True) == (
        "<Response>\n"
        "  <Say>Batch <say-as>1407</say-as> is off.</Say>\n"
        '  <Gather numDigits="1">\n'
        "    <Say>Press 1.\nNow.</Say>\n"
        '    <Pause length="1"/>\n'
        "  </Gather>\n"
        "  <Say><p><s>One.</s><s>Two.</s></p><p>Three.</p></Say>\n"
        "  <Hangup/>\n"
        "</Response>"
    )
    assert Response(Message(Body("Hello"))).to_xml(indent=True) == (
        "<Response>\n  <Message>\n    <Body>Hello</Body>\n  </Message>\n</Response>"
    )
    assert Response(Message("Hello", Media("/cat.png"))).to_xml(indent=True) == (
        "<Response>\n  <Message>Hello<Media>/cat.png</Media></Message>\n</Response>"
    )
