"""Composing a request: numbers and words, checked and filled in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from alerts import AlertRequest, UnusableInput
from alerts.alert import tries_of
from alerts.message.compose import compose, filled_in, words_of_text, write_message
from alerts.phone_numbers import Regions

CALL = AlertRequest("call", "412 857 4309", "Hello {{ user }}", user="ann")
TEXT = replace(CALL, channel="text")
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)  # a Friday
BOTH = pytest.mark.parametrize("request_", [CALL, TEXT], ids=["call", "text"])


def refusal(request: AlertRequest) -> UnusableInput:
    with pytest.raises(UnusableInput) as refused:
        compose(request, Regions())
    assert str(refused.value).endswith(".")
    return refused.value


@BOTH
def test_a_settled_request(request_):
    settled = compose(replace(request_, id="batch 7", tries=3), Regions())
    assert settled == replace(request_, id="batch 7", tries=3, to="+14128574309")
    assert filled_in(settled, NOON) == replace(settled, message="Hello ann", template=False)


def test_a_call_with_everything():
    asked = replace(
        CALL,
        acknowledge=True,
        voicemail="{{ user }} called on {{ today }}",
        tries=10,
        minutes_between_tries=0.5,
        then_text=True,
        then_to=("(412) 857-4310", "+1 412 857 4311"),
        quiet_hours="22:00-07:00",
        urgent=True,
        name="Bea",
    )
    settled = compose(asked, Regions())
    assert settled.then_to == ("+14128574310", "+14128574311")
    assert replace(settled, to="", then_to=()) == replace(asked, to="", then_to=())
    said = filled_in(settled, NOON)
    assert (said.message, said.voicemail) == (
        "Hello ann", "ann called on Friday, 20 November 2026",
    )  # fmt: skip


def test_a_message_without_variables_of_its_own():
    request = replace(CALL, message="{{ .CommonLabels.alertname }} {{ now }}", template=False)
    request = replace(request, voicemail="{% for {{", then_text=True)
    assert compose(request, Regions()).message == request.message
    assert filled_in(request, NOON) == request


@pytest.mark.parametrize(
    ("zone", "now"),
    [("America/New_York", "7:00 AM on Friday"), ("Asia/Tokyo", "9:00 PM on Friday")],
)
def test_the_time_is_the_moments_in_the_senders_zone(zone, now):
    request = replace(TEXT, message="{{ now }}", time_zone=zone)
    assert write_message(request, NOON).replace("\u202f", " ") == now


@pytest.mark.parametrize("zone", ["Nowhere/Land", "Mars", "EST5EDT7", "../../etc/passwd", "\0"])
def test_a_zone_that_does_not_exist(zone):
    refused = refusal(replace(TEXT, time_zone=zone))
    assert refused.field == "time_zone"
    assert "is not a time zone" in str(refused)


@pytest.mark.parametrize("voice", ["Polly.Hans", "polly.Amy", "Amy", ""])
def test_a_voice_of_another_language(voice):
    refused = refusal(replace(CALL, voice=voice))
    assert refused.field == "voice"
    assert "English (UK)" in str(refused)
    assert "Polly.Amy" in str(refused)


@pytest.mark.parametrize("language", ["", "en", "en_GB", "tlh", "../x"])
def test_an_unknown_language(language):
    assert refusal(replace(CALL, language=language)).field == "language"


def test_a_text_needs_no_language():
    assert write_message(replace(TEXT, language="tlh", message="{{ now }}"))


@BOTH
@pytest.mark.parametrize("message", ["", " \n", "{% if false %}never{% endif %}"])
def test_nothing_to_say(request_, message):
    refused = refusal(replace(request_, message=message))
    assert refused.field == "message"


def test_only_control_characters_to_say():
    assert refusal(replace(CALL, message="\x00\x01")).field == "message"


@BOTH
def test_half_a_character(request_):
    assert "broken character" in str(refusal(replace(request_, message="Hello \ud83d")))
    assert "broken character" in str(refusal(replace(request_, user="\udcff")))


@pytest.mark.parametrize(
    ("request_", "most", "words"),
    [
        (CALL, 4_096, "4,096"),
        (replace(CALL, voice="Polly.Amy"), 3_000, "3,000"),
        # " Press 1 to confirm that you got this message." comes after it.
        (replace(CALL, acknowledge=True), 4_096 - 46, "4,096"),
        (replace(CALL, then_text=True), 1_600, "The text that follows the call holds 1,600"),
        (TEXT, 1_600, "A text holds 1,600"),
    ],
    ids=["alice", "Polly", "with a key press", "then a text", "text"],
)
def test_too_long(request_, most, words):
    assert len(compose(replace(request_, message="<" * most), Regions()).message) == most
    refused = refusal(replace(request_, message="<" * (most + 1)))
    assert refused.field == "message"
    assert words in str(refused)


def test_the_length_counts_once_the_variables_are_in():
    request = replace(TEXT, message="{{ user }}" * 9, user="u" * 178)
    assert "1,602" in str(refusal(request))


@pytest.mark.parametrize(
    ("voicemail", "words"),
    [
        ("{{ nobody }}", "The voicemail message asks for {{ nobody }}"),
        ("{{", "{% in the voicemail message has no end"),
        (" ", "Write a voicemail message."),
        ("<" * 4_097, "4,096"),
        ("Hello \ud83d", "The voicemail message holds a broken character"),
    ],
)
def test_words_for_voicemail_that_cannot_be(voicemail, words):
    refused = refusal(replace(CALL, voicemail=voicemail))
    assert refused.field == "voicemail"
    assert words in str(refused)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("channel", ""),
        ("channel", "fax"),
        ("channel", "Call"),
        ("repeat", -1),
        ("tries", 0),
        ("tries", 11),
        ("tries", 2.0),
        ("minutes_between_tries", -0.1),
        ("minutes_between_tries", 1440.1),
        ("minutes_between_tries", float("nan")),
        ("minutes_between_tries", float("inf")),
        ("then_to", ("412 857 43",)),
        ("then_to", ("",)),
        ("then_to", ("+44 20 7946 0958",)),
        ("then_to", ("(412) 857-4309",)),
        ("then_to", ("412 857 4310", "+1 412-857-4310")),
        ("then_to", tuple(f"412 857 431{digit}" for digit in range(10))),
        ("quiet_hours", "at night"),
        ("id", ""),
        ("id", "x" * 201),
        ("id", "a\nb"),
        ("id", "a\x7f"),
        ("id", "\ud83d"),
        ("user", "x" * 201),
        ("user", "\x00"),
        ("name", "x" * 201),
        ("name", "a\tb"),
    ],
)
def test_what_cannot_be(field, value):
    assert refusal(replace(CALL, **{field: value})).field == field


def test_a_text_asks_for_a_reply_in_its_language():
    asking = replace(TEXT, message="Batch 7 failed", acknowledge=True)
    compose(asking, Regions())
    assert words_of_text(asking, NOON) == "Batch 7 failed. Reply 1 to confirm."
    spanish = replace(asking, message="¡El lote 7 falló!", language="es-MX")
    assert words_of_text(spanish, NOON) == "¡El lote 7 falló! Responda 1 para confirmar."
    assert refusal(replace(asking, language="eo")).field == "acknowledge"
    call = replace(CALL, message="Batch 7 failed", acknowledge=True, then_text=True)
    assert words_of_text(call, NOON) == words_of_text(asking, NOON)


def test_the_question_counts_as_part_of_the_text():
    words = "x" * 1590
    compose(replace(TEXT, message=words), Regions())
    for request in (
        replace(TEXT, message=words, acknowledge=True),
        replace(CALL, message=words, acknowledge=True, then_text=True),
    ):
        assert "1,600 characters" in str(refusal(request))


@pytest.mark.parametrize(("field", "value"), [("voicemail", "Call back"), ("then_text", True)])
def test_only_a_call_can(field, value):
    compose(replace(CALL, **{field: value}), Regions())
    refused = refusal(replace(TEXT, **{field: value}))
    assert refused.field == field
    assert str(refused).startswith("Only a call can ")


def test_which_of_the_further_numbers_is_wrong():
    refused = refusal(replace(CALL, then_to=("412 857 4310", "857 4311")))
    assert str(refused) == "857 4311: The area code is missing (United States)."


def test_a_number_that_is_none():
    assert refusal(replace(CALL, to="hello")).field == "phone_number"


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (replace(TEXT, to="412 857 4309 x12"), "phone_number"),
        (replace(TEXT, then_to=("412 857 4310 x12",)), "then_to"),
        (replace(CALL, to="412 857 4309 x12", then_text=True), "then_text"),
        (replace(CALL, then_to=("412 857 4310,,12",), then_text=True), "then_text"),
    ],
)
def test_a_text_to_an_extension(request_, field):
    refused = refusal(request_)
    assert "A text can't go to an extension" in str(refused)
    assert "leave out 12" in str(refused)
    if field != "then_text" or not request_.then_to:
        assert refused.field == field


def test_extensions_of_one_number_are_different_people():
    settled = compose(
        replace(CALL, to="412 857 4309 x12", then_to=("412 857 4309 x13",), tries=2), Regions()
    )
    assert settled.to == "+14128574309,12"
    assert [(each.to, each.extension) for each in tries_of(settled)] == [
        ("+14128574309", "12"), ("+14128574309", "12"),
        ("+14128574309", "13"), ("+14128574309", "13"),
    ]  # fmt: skip
    assert compose(settled, Regions()) == settled
    assert "twice" in str(refusal(replace(settled, then_to=("412 857 4309 ext. 12",))))


def test_labels_in_any_language():
    request = replace(TEXT, id="Störung №7 🚨" + "x" * 187, name="Zoë", user="山田 太郎")
    settled = compose(request, Regions())
    assert (settled.id, settled.name, settled.user) == (request.id, "Zoë", "山田 太郎")


def test_a_sender_without_a_name():
    assert write_message(replace(TEXT, user="")) == "Hello someone"
