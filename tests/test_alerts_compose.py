"""Step 1: the number, the words, and the document that speaks them."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from alerts import AlertRequest, UnusableInput
from alerts.compose import compose, write_message
from alerts.numbers import Regions
from alerts.voices import LANGUAGES, voices_for

CALL = AlertRequest("call", "412 857 4309", "Hello {{ user }}", user="ann")
TEXT = replace(CALL, channel="text")
PAIRS = [(each.code, voice) for each in LANGUAGES for voice in voices_for(each.code)]


def refusal(request: AlertRequest) -> UnusableInput:
    with pytest.raises(UnusableInput) as refused:
        compose(request, Regions())
    assert str(refused.value).endswith(".")
    return refused.value


def spoken(request: AlertRequest) -> ElementTree.Element:
    document = compose(request, Regions()).document
    assert document is not None
    response = ElementTree.fromstring(document.to_xml())  # noqa: S314 - of our own making
    assert response.tag == "Response"
    (say,) = response
    assert say.tag == "Say"
    return say


def test_a_call():
    say = spoken(CALL)
    assert say.text == "Hello ann"
    assert say.attrib == {"voice": "alice", "language": "en-GB", "loop": "3"}


def test_a_text_has_no_document():
    composed = compose(TEXT, Regions())
    assert (composed.document, composed.text) == (None, "Hello ann")
    assert composed.to.e164 == "+14128574309"


@pytest.mark.parametrize(("language", "voice"), PAIRS)
def test_every_voice_speaks_its_language(language, voice):
    say = spoken(replace(CALL, language=language, voice=voice, message="{{ now }} {{ today }}"))
    assert (say.get("voice"), say.get("language")) == (voice, language)
    assert say.text


def test_there_are_voices_to_choose_from():
    assert len(PAIRS) > len(LANGUAGES) > 20
    assert all("alice" in voices_for(each.code) for each in LANGUAGES)
    assert voices_for("tlh") == {"alice": "Alice"}


@pytest.mark.parametrize("voice", ["Polly.Hans", "polly.Amy", "Amy", "", "woman"])
def test_a_voice_of_another_language(voice):
    refused = refusal(replace(CALL, voice=voice))
    assert refused.field == "voice"
    assert "English (UK)" in str(refused)
    assert "Polly.Amy" in str(refused)


@pytest.mark.parametrize("language", ["", "en", "en_GB", "tlh", "../x"])
def test_a_language_that_nobody_speaks(language):
    assert refusal(replace(CALL, language=language)).field == "language"


def test_a_text_needs_no_language():
    assert write_message(replace(TEXT, language="tlh", message="{{ now }}"))


@pytest.mark.parametrize("request_", [CALL, TEXT], ids=["call", "text"])
@pytest.mark.parametrize("message", ["", " \n", "{% if false %}never{% endif %}", "{# nothing #}"])
def test_nothing_to_say(request_, message):
    refused = refusal(replace(request_, message=message))
    assert refused.field == "message"


def test_only_control_characters_to_say():
    assert refusal(replace(CALL, message="\x00\x01")).field == "message"


@pytest.mark.parametrize("request_", [CALL, TEXT], ids=["call", "text"])
def test_half_a_character(request_):
    assert "half a character" in str(refusal(replace(request_, message="Hello \ud83d")))
    assert "half a character" in str(refusal(replace(request_, user="\udcff")))


@pytest.mark.parametrize(
    ("request_", "most", "words"),
    [
        (CALL, 4_096, "4,096"),
        (replace(CALL, voice="Polly.Amy"), 3_000, "3,000"),
        (TEXT, 1_600, "1,600"),
    ],
    ids=["alice", "Polly", "text"],
)
def test_too_long(request_, most, words):
    assert len(compose(replace(request_, message="<" * most), Regions()).text) == most
    refused = refusal(replace(request_, message="<" * (most + 1)))
    assert refused.field == "message"
    assert words in str(refused)


def test_the_length_counts_once_the_variables_are_in():
    request = replace(TEXT, message="{{ user }}" * 10, user="u" * 161)
    assert "1,610" in str(refusal(request))


@pytest.mark.parametrize("channel", ["", "fax", "Call"])
def test_another_channel(channel):
    assert refusal(replace(CALL, channel=channel)).field == "channel"


def test_a_number_that_is_none():
    assert refusal(replace(CALL, to="hello")).field == "phone_number"


def test_repeating():
    assert spoken(replace(CALL, repeat=0)).get("loop") == "0"
    assert refusal(replace(CALL, repeat=-1)).field == "repeat"


def test_somebody_without_a_name():
    assert write_message(replace(TEXT, user="")) == "Hello somebody"
