"""The TwiML of a call."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest

from alerts import AlertRequest, UnusableInput
from alerts.message.call_twiml import (
    check_call,
    write_document,
    write_second_question,
    write_thanks,
    write_voicemail,
)
from alerts.message.compose import compose, filled_in
from alerts.message.languages import LANGUAGES, key_press_words, voices_for
from alerts.phone_numbers import Regions
from twiml import Response

CALL = AlertRequest("call", "+14128574309", "Batch 7 failed", voicemail="Call us back.")
PAIRS = [(each.code, voice) for each in LANGUAGES for voice in voices_for(each.code)]
URL = "https://callboard.example/twilio/gather?alert=a%26b&try=1"


def verbs(document: Response) -> list[ElementTree.Element]:
    response = ElementTree.fromstring(document.to_xml())  # noqa: S314 - of our own making
    assert response.tag == "Response"
    return list(response)


def test_a_message():
    (say,) = verbs(write_document(replace(CALL, voicemail=""), CALL.message))
    assert (say.tag, say.text) == ("Say", "Batch 7 failed")
    assert say.attrib == {"voice": "alice", "language": "en-GB", "loop": "3"}


def test_until_they_hang_up():
    (say,) = verbs(write_document(replace(CALL, repeat=0, voicemail=""), "Hello"))
    assert say.get("loop") == "0"


@pytest.mark.parametrize(("text", "seconds"), [("Hi", 30), ("x" * 140, 10), ("x" * 999, 1)])
def test_the_line_is_held_until_a_machine_is_detected(text, seconds):
    say, pause = verbs(write_document(replace(CALL, repeat=2), text))
    assert (say.tag, pause.tag, pause.get("length")) == ("Say", "Pause", str(seconds))


def test_a_message_that_asks_for_a_key():
    request = replace(CALL, acknowledge=True, repeat=0)
    (gather,) = verbs(write_document(request, request.message, URL))
    assert gather.tag == "Gather"
    assert gather.attrib == {"action": URL, "method": "POST", "numDigits": "1", "timeout": "10"}
    (say,) = gather
    assert say.text == "Batch 7 failed. Press 1 to confirm that you got this message."
    assert say.attrib == {"voice": "alice", "language": "en-GB", "loop": "0"}


def test_a_full_stop_is_not_said_twice():
    (gather,) = verbs(write_document(replace(CALL, acknowledge=True), "Call us!", URL))
    assert str(gather[0].text).startswith("Call us! Press 1")


def test_the_preview_goes_nowhere():
    (gather,) = verbs(write_document(replace(CALL, acknowledge=True), "Hello"))
    assert gather.get("action") == "/twilio/gather"


def test_asking_again():
    (gather,) = verbs(write_second_question(replace(CALL, acknowledge=True), URL))
    assert (gather.tag, gather.get("action")) == ("Gather", URL)
    again, message = gather
    assert (again.text, again.get("loop")) == ("Please press 1.", None)
    assert str(message.text).startswith("Batch 7 failed. Press 1")
    assert message.get("loop") == "3"


def test_thanks_and_voicemail_are_said_once():
    for document, words in (
        (write_thanks(CALL), "Thank you. Goodbye."),
        (write_voicemail(CALL), "Call us back."),
    ):
        (say,) = verbs(document)
        assert say.text == words
        assert say.attrib == {"voice": "alice", "language": "en-GB"}


@pytest.mark.parametrize(("language", "voice"), PAIRS)
def test_every_voice_speaks_its_language(language, voice):
    asked = replace(
        CALL,
        to="412 857 4309",
        language=language,
        voice=voice,
        message="{{ now }} {{ today }}",
        voicemail="{{ now }}",
        acknowledge=True,
    )
    request = filled_in(compose(asked, Regions()), datetime.now(UTC))
    words = key_press_words(language)
    (gather,) = verbs(write_second_question(request, URL))
    (thanks,) = verbs(write_thanks(request))
    (voicemail,) = verbs(write_voicemail(request))
    said = [*gather, thanks, voicemail]
    assert {(say.get("voice"), say.get("language")) for say in said} == {(voice, language)}
    assert [say.text for say in said][:3:2] == [words.again, words.thanks]
    assert request.message in str(gather[1].text)
    assert str(gather[1].text).endswith(words.ask)


def test_there_are_voices_to_choose_from():
    assert len(PAIRS) > len(LANGUAGES) > 20
    assert all(voices_for(each.code) for each in LANGUAGES)
    assert "Polly.Joanna-Neural" in voices_for("en-US")
    assert voices_for("tlh") == {}


def test_key_presses_are_asked_for_in_the_languages_own_words():
    asked = {key_press_words(each.code).ask for each in LANGUAGES}
    # Eight kinds of English, three of French, and two each of Dutch, German, Spanish (not
    # Mexico's) and written Chinese share theirs.
    assert len(asked) == len(LANGUAGES) - 7 - 2 - 1 - 1 - 1 - 1
    for each in LANGUAGES:
        words = key_press_words(each.code)
        assert "1" in words.ask
        assert "1" in words.again
        assert "1" not in words.thanks


def test_a_preview_in_an_unknown_language():
    with pytest.raises(UnusableInput) as refused:
        check_call(replace(CALL, language="tlh", acknowledge=True), "Hello")
    assert refused.value.field == "language"
