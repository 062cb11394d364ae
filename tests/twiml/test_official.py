"""For the same document, our XML equals the XML that Twilio's own package writes."""

from __future__ import annotations

import inspect
from xml.etree.ElementTree import canonicalize

import pytest
from twilio.twiml import TwiML, lower_camel, messaging_response, voice_response
from twilio.twiml.messaging_response import MessagingResponse
from twilio.twiml.voice_response import VoiceResponse

import twiml
from twiml import (
    Body,
    Break,
    Dial,
    Emphasis,
    Gather,
    Hangup,
    Lang,
    Media,
    Message,
    Number,
    P,
    Pause,
    Phoneme,
    Play,
    Prosody,
    Record,
    Redirect,
    Reject,
    Response,
    S,
    Say,
    SayAs,
    Sub,
    W,
)


def assert_same(ours: Response, theirs: VoiceResponse | MessagingResponse) -> None:
    """Compare both as canonical XML (C14N), and read theirs as ours."""
    assert canonicalize(ours.to_xml()) == canonicalize(str(theirs))
    assert Response.parse(str(theirs)) == ours


def test_the_tutorial():
    words = "Greetings, it is currently 9:42 on Friday. <Twilio> & Shiny, 'together' \"at last\"."
    theirs = VoiceResponse()
    theirs.say(words, voice="alice", language="en-GB", loop=3)
    assert_same(Response(Say(words, voice="alice", language="en-GB", loop=3)), theirs)


def test_a_call_with_everything():
    theirs = VoiceResponse()
    theirs.pause(length=2)
    theirs.play("https://example.com/a.mp3?x=1&y=2", loop=0)
    theirs.play(digits="1w2")
    menu = theirs.gather(
        input="dtmf speech",
        action="/menu",
        method="GET",
        speech_timeout="auto",
        num_digits=1,
        finish_on_key="",
        action_on_empty_result=True,
    )
    menu.say("Press 1.")
    menu.pause()
    menu.play("/tone.mp3")
    theirs.record(max_length=30, play_beep=False, recording_status_callback_event="completed")
    dial = theirs.dial(caller_id="+15550001111", time_limit=60, answer_on_bridge=True)
    dial.number("+15558675310", send_digits="wwww1928", machine_detection="Enable")
    dial.number("+15558675311", status_callback_event="initiated ringing")
    theirs.dial("415-123-4567")
    theirs.redirect("/next", method="POST")
    theirs.reject(reason="busy")
    theirs.hangup()
    ours = Response(
        Pause(length=2),
        Play("https://example.com/a.mp3?x=1&y=2", loop=0),
        Play(digits="1w2"),
        Gather(
            Say("Press 1."),
            Pause(),
            Play("/tone.mp3"),
            input="dtmf speech",
            action="/menu",
            method="GET",
            speech_timeout="auto",
            num_digits=1,
            finish_on_key="",
            action_on_empty_result=True,
        ),
        Record(max_length=30, play_beep=False, recording_status_callback_event="completed"),
        Dial(
            Number("+15558675310", send_digits="wwww1928", machine_detection="Enable"),
            Number("+15558675311", status_callback_event="initiated ringing"),
            caller_id="+15550001111",
            time_limit=60,
            answer_on_bridge=True,
        ),
        Dial("415-123-4567"),
        Redirect("/next", method="POST"),
        Reject("busy"),
        Hangup(),
    )
    assert_same(ours, theirs)


def test_ssml():
    theirs = VoiceResponse()
    say = theirs.say("Hello ", voice="Polly.Joanna")
    say.break_(strength="x-weak", time="100ms")
    say.emphasis("words", level="moderate")
    say.append(" and ")
    paragraph = say.p()
    paragraph.s("A sentence.")
    say.phoneme("pecan", alphabet="ipa", ph="pɪˈkɑːn")
    say.prosody("slowly", pitch="-10%", rate="85%", volume="-6dB")
    say.say_as("2026-11-23", interpret_as="date", format="ymd")
    say.sub("W3C", alias="World Wide Web Consortium")
    say.lang("Bonjour", xml_lang="fr-FR")
    say.w("read", role="amazon:VBD")
    ours = Response(
        Say(
            "Hello ",
            Break("x-weak", "100ms"),
            Emphasis("words", level="moderate"),
            " and ",
            P(S("A sentence.")),
            Phoneme("pecan", alphabet="ipa", ph="pɪˈkɑːn"),
            Prosody("slowly", pitch="-10%", rate="85%", volume="-6dB"),
            SayAs("2026-11-23", interpret_as="date", format="ymd"),
            Sub("W3C", alias="World Wide Web Consortium"),
            Lang("Bonjour", xml_lang="fr-FR"),
            W("read", role="amazon:VBD"),
            voice="Polly.Joanna",
        )
    )
    assert_same(ours, theirs)


def test_messages():
    theirs = MessagingResponse()
    theirs.message("Plain", to="+15558675310", from_="+15550001111", action="/sent", method="POST")
    both = theirs.message()
    both.body("With a picture")
    both.media("https://example.com/cat.png")
    theirs.redirect("/more")
    ours = Response(
        Message("Plain", to="+15558675310", from_="+15550001111", action="/sent", method="POST"),
        Message(Body("With a picture"), Media("https://example.com/cat.png")),
        Redirect("/more"),
    )
    assert_same(ours, theirs)


# Where Twilio's package and documentation of a verb differ, we follow the documentation:
# https://www.twilio.com/docs/voice/twiml/dial#attributes
UNDOCUMENTED = {"Dial": {"recording_configuration_id", "events", "passports"}}
DOCUMENTED_ONLY = {"Dial": {"call_reason"}}
VOICE, MESSAGING, SPEECH = VoiceResponse(), MessagingResponse(), voice_response.Say()
BUILDERS = {
    **{
        n.title(): getattr(VOICE, n)
        for n in ("say", "play", "pause", "gather", "redirect", "reject", "record")
    },
    "Hangup": VOICE.hangup,
    "Dial": VOICE.dial,
    "Number": voice_response.Dial().number,
    "Message": MESSAGING.message,
    "Body": messaging_response.Message().body,
    "Media": messaging_response.Message().media,
    **{
        n.title(): getattr(SPEECH, n)
        for n in ("emphasis", "lang", "p", "phoneme", "prosody", "s", "sub", "w")
    },
    "Break": SPEECH.break_,
    "SayAs": SPEECH.say_as,
}
CONTENT = {"message", "url", "words", "phone_number", "number", "body"}


@pytest.mark.parametrize("name", BUILDERS)
def test_attributes_have_twilios_names(name):
    element = getattr(twiml, name)
    theirs = {
        p.name
        for p in inspect.signature(BUILDERS[name]).parameters.values()
        if p.kind is not p.VAR_KEYWORD
    }
    own_content = CONTENT - ({"url"} if name == "Number" else set())
    expected = theirs - own_content - UNDOCUMENTED.get(name, set())
    assert set(element.attribute_names) == expected | DOCUMENTED_ONLY.get(name, set())
    for attribute, xml in element.attribute_names.items():
        assert xml == lower_camel(TwiML.MAP.get(attribute, attribute))
