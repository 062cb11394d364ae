"""What Twilio would refuse is refused when it is built, in a sentence that says why."""

# These tests pass wrong values on purpose.
# mypy: disable-error-code="arg-type"

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from twiml import (
    Body,
    Break,
    Dial,
    Gather,
    Hangup,
    Media,
    Message,
    Number,
    Pause,
    Play,
    Prosody,
    Record,
    Redirect,
    Reject,
    Response,
    S,
    Say,
    SayAs,
    TwimlError,
)


def nested(depth: int) -> Prosody | str:
    inside: Prosody | str = "deep"
    for _ in range(depth):
        inside = Prosody(inside, rate="slow")
    return inside


def fails(build, *names: str) -> None:
    with pytest.raises(TwimlError) as raised:
        build()
    sentence = str(raised.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    for name in names:
        assert name in sentence


@pytest.mark.parametrize(
    ("build", "names"),
    [
        # https://www.twilio.com/docs/api/errors/13521
        (lambda: Say("x" * 4097), ["Say", "4,096", "4,097"]),
        (lambda: Say("x" * 4000, SayAs("y" * 97)), ["Say", "4,096", "4,097"]),
        (lambda: Say("x" * 3001, voice="Polly.Amy"), ["Polly", "3,000", "3,001"]),
        # https://www.twilio.com/docs/api/errors/13520
        (lambda: Say(""), ["Say needs words"]),
        (lambda: Say(" \n\x00"), ["Say needs words"]),
        (lambda: Say(Break(time="1s")), ["Say needs words"]),
        (lambda: Say("x", loop=-1), ["Say loop", "0 or more", "-1"]),
        (lambda: Say("x", loop=True), ["Say loop", "True"]),
        (lambda: Say("x", loop="3"), ["Say loop", "'3'"]),
        (lambda: Say("x", loop=1.5), ["Say loop", "1.5"]),
        (lambda: Say("x", loop=10**9), ["Say loop", "a number that large"]),
        (lambda: Say("x", loop=10**5000), ["Say loop", "a number that large"]),
        (lambda: Say("x", voice="bob"), ["Say voice", "alice", "'bob'"]),
        (lambda: Say("x", language="English, please"), ["Say language", "en-GB"]),
        (lambda: Say("x", Gather()), ["Say cannot contain Gather"]),
        (lambda: Say("x", 5), ["Say", "int"]),
        (lambda: Say("x", None), ["Say", "NoneType"]),
        (lambda: Say(S(S("x"))), ["s cannot contain s"]),
        (lambda: Break(time="11s"), ["break time", "10 s"]),
        (lambda: Break("loud"), ["break strength", "x-strong"]),
        (lambda: Prosody("x", volume="11"), ["prosody volume", "+6dB"]),
        (lambda: Gather(Gather()), ["Gather cannot contain Gather", "Say, Play and Pause"]),
        (lambda: Gather("Press 1"), ["Gather takes Say, Play and Pause", "Press 1"]),
        (lambda: Gather(num_digits=0), ["Gather numDigits", "1 or more"]),
        (lambda: Gather(finish_on_key="12"), ["Gather finishOnKey"]),
        (lambda: Gather(input="fax"), ["Gather input", "dtmf, speech"]),
        (lambda: Gather(speech_timeout="never"), ["Gather speechTimeout", "auto"]),
        (lambda: Gather(method="PUT"), ["Gather method", "GET, POST"]),
        (lambda: Pause(length=0), ["Pause length", "1 or more"]),
        (Play, ["Play needs"]),
        (lambda: Play("https://a_b.example.com/x.mp3"), ["url of Play", "underscore"]),
        (lambda: Play(digits="call me"), ["Play digits"]),
        (lambda: Redirect("two words"), ["url of Redirect", "white space"]),
        (lambda: Redirect(None), ["url of Redirect", "NoneType"]),
        (lambda: Reject("tired"), ["Reject reason", "rejected, busy"]),
        (lambda: Record(max_length=1), ["Record maxLength", "2 to 86400"]),
        (lambda: Record(play_beep="yes"), ["Record playBeep", "True or False"]),
        (Dial, ["Dial needs"]),
        (lambda: Dial("the boss"), ["Dial needs a phone number", "the boss"]),
        (lambda: Dial("+15558675310", Number("+15558675310")), ["Dial needs one phone number"]),
        (lambda: Dial(*[Number("+15558675310")] * 11), ["Dial", "10 Numbers"]),
        (lambda: Dial("+15558675310", timeout=601), ["Dial timeout", "1 to 600"]),
        (lambda: Dial("+15558675310", call_reason="x" * 51), ["Dial callReason", "50"]),
        (lambda: Number("+1555x"), ["phone_number of Number", "+15558675310"]),
        (lambda: Number("+15558675310", status_callback_event="busy"), ["statusCallbackEvent"]),
        (Message, ["Message needs"]),
        (lambda: Message("x" * 1601), ["Message", "1,600", "1,601"]),
        (lambda: Message(Body("x" * 1601)), ["text of Body", "1,600"]),
        (lambda: Message("Hello", Body("again")), ["Message", "once"]),
        (lambda: Message(*[Media("https://example.com/cat.png")] * 11), ["Message", "10 Media"]),
        (lambda: Response("Hello"), ["Response takes Say", "Hello"]),
        (lambda: Response(Body("Hello")), ["Response cannot contain Body"]),
        (lambda: Response(Message("Hello"), Say("Hello")), ["Message", "Say", "not both"]),
        (lambda: nested(33), ["32 deep"]),
    ],
)
def test_refused_by_name(build, names):
    fails(build, *names)


def test_a_document_over_64_kb_is_refused():
    """https://www.twilio.com/docs/api/errors/11750"""
    document = Response(*[Say("é" * 4096)] * 8)
    fails(document.to_xml, "65,536 bytes")
    fails(lambda: Response.parse(document.to_xml(indent=True)), "65,536 bytes")


def test_limits_themselves_are_allowed():
    Say("x" * 4096, voice="alice", loop=0)
    Say("x" * 3000, voice="Polly.Amy")
    Message("x" * 1600, *[Media("https://example.com/cat.png")] * 10)
    Dial(*[Number("+15558675310")] * 10, timeout=600, time_limit=86_400)
    Gather(finish_on_key="", speech_timeout="auto")
    assert "\ud83d" not in repr(nested(32))


def test_a_password_in_a_url_stays_out_of_the_error():
    with pytest.raises(TwimlError) as raised:
        Play("https://user:secret@a_b.example.com/x.mp3")
    assert "secret" not in str(raised.value)


def test_elements_cannot_be_changed():
    say = Say("Hello", voice="alice")
    with pytest.raises(FrozenInstanceError):
        say.voice = "man"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        Pause().length = 2  # type: ignore[misc]


def test_elements_are_equal_by_value():
    assert Say("a", "b", loop=3) == Say("ab", loop=3)
    assert Say("a", loop=3) != Say("a", loop=4)
    assert Say("a") != Say("a", SayAs("b"))
    assert len({Hangup(), Hangup(), Pause(), Pause(1)}) == 3


def test_a_repr_shows_what_was_given():
    document = Response(Say("Hi", voice="alice", loop=3), Gather(Say("1?"), num_digits=1))
    assert repr(document) == (
        "Response(Say('Hi', voice='alice', loop=3), Gather(Say('1?'), num_digits=1))"
    )
