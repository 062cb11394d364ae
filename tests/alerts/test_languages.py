"""Voices and languages: any that Twilio may have, except those known not to fit together."""

from __future__ import annotations

from dataclasses import replace

import botocore.session
import pytest

from alerts import AlertRequest, UnusableInput
from alerts.message.compose import compose, filled_in, notes
from alerts.message.languages import LANGUAGES, check_language, check_voice, voice_note, voices_for
from alerts.phone_numbers import Regions
from tests.alerts.test_compose import NOON

CALL = AlertRequest("call", "+14128574309", "It is {{ now }}")


@pytest.mark.parametrize(
    ("voice", "language"),
    [
        ("Polly.Joanna-Generative", "en-US"),
        ("Polly.Danielle-Neural", "en-US"),
        ("Polly.Kevin-Neural", "en-US"),
        ("Polly.Gwyneth", "cy-GB"),
        ("Polly.Zeina", "arb"),
        ("Polly.Hala-Neural", "ar-AE"),
        ("Polly.Zhiyu-Neural", "cmn-CN"),
        ("Google.en-US-Chirp3-HD-Aoede", "en-US"),
        ("Google.es-US-Neural2-A", "es-US"),
        ("Google.tr-TR-Wavenet-C", "tr-TR"),
        ("Google.hi-IN-Standard-A", "hi-IN"),
        ("Google.cmn-CN-Wavenet-A", "zh-CN"),
        ("Google.fil-PH-Standard-A", "fil-PH"),
        ("Google.sr-RS-Standard-A", "sr-RS"),
        ("man", "en-US"),
        ("woman", "es-ES"),
    ],
)
def test_voices_that_are_not_in_our_list_are_for_twilio_to_judge(voice, language):
    request = compose(replace(CALL, voice=voice, language=language), Regions())
    assert filled_in(request, NOON).message.startswith("It is ")
    known = voice in voices_for(language)
    said = notes(request, Regions())
    assert said == ([] if known else [voice_note(voice, language)])
    assert known or said[0].endswith("isn't in Callboard's list; Twilio decides.")


def test_known_voices_have_no_note():
    for each in LANGUAGES:
        for voice in voices_for(each.code):
            check_voice(voice, each.code)
            assert voice_note(voice, each.code) == ""


@pytest.mark.parametrize(
    ("voice", "language", "words"),
    [
        ("Polly.Hans", "en-GB", "It speaks German."),
        ("Polly.Hans-Generative", "en-GB", "It speaks German."),
        ("Polly.Joanna-Neural", "en-GB", "It speaks English (US)."),
        ("Polly.Kajal-Neural", "de-DE", "It speaks English (India), Hindi."),
        ("Polly.Filiz", "sr-RS", "It speaks Turkish."),
        ("Google.en-US-Chirp3-HD-Aoede", "en-GB", "It speaks English (US)."),
        ("Google.en-US-Standard-A", "tr-TR", "It speaks English (US)."),
        ("alice", "tr-TR", "Choose one of Polly.Filiz, Polly.Burcu-Neural."),
        ("alice", "sr-RS", "doesn't speak sr-RS."),
        ("Joanna", "en-US", "is not the name of a voice for English (US). Choose one of alice, "),
        ("polly.Amy", "en-GB", "is not the name of a voice"),
        ("Google.Aoede", "en-US", "Google.en-US-Chirp3-HD-Aoede"),
        ("Polly.Amy Neural", "en-GB", "Polly.Joanna-Neural"),
        ("", "sr-RS", "is not the name of a voice for sr-RS"),
    ],
)
def test_what_is_no_voice_of_the_language(voice, language, words):
    with pytest.raises(UnusableInput) as refused:
        compose(replace(CALL, voice=voice, language=language), Regions())
    assert refused.value.field == "voice"
    assert words in str(refused.value)


@pytest.mark.parametrize(
    "code", ["en", "en_GB", "EN-gb", "english", "", "tlh", "x" * 99, "en-GB\n"]
)
def test_what_is_no_language(code):
    with pytest.raises(UnusableInput, match="is not a language code"):
        check_language(code)


def test_asking_for_a_key_needs_words_in_the_language():
    request = replace(CALL, voice="Google.sr-RS-Standard-A", language="sr-RS", acknowledge=True)
    with pytest.raises(UnusableInput, match="no words in sr-RS") as refused:
        compose(request, Regions())
    assert refused.value.field == "acknowledge"
    compose(replace(request, voice="Polly.Burcu-Neural", language="tr-TR"), Regions())


def test_a_number_that_is_not_known_yet_is_noted():
    request = compose(replace(CALL, then_to=("(436) 857-4309",)), Regions())
    assert notes(request, Regions()) == [
        "+1 436-857-4309: That prefix isn't in Callboard's tables yet. Twilio decides."
    ]


def test_every_polly_voice_exists_at_amazon():
    service = botocore.session.get_session().get_service_model("polly")
    ours = {name for each in LANGUAGES for name in (*each.polly, *each.neural)}
    assert ours <= set(service.shape_for("VoiceId").metadata["enum"])
    spoken = {each.code for each in LANGUAGES if each.polly or each.neural}
    assert spoken - set(service.shape_for("LanguageCode").metadata["enum"]) == {
        "zh-CN"
    }  # there: cmn-CN
