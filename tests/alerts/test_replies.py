"""What a reply means: only known words confirm."""

from __future__ import annotations

import pytest

from alerts.message.languages import LANGUAGES, key_press_words
from alerts.replies import ReplyKind, kind_of, note_of, starts_again

CONFIRMS = [
    "1", " 1. ", "１", "1!", "ok", "OK", "Okay.", "yes", "YES", "Yes!", "y", "👍", "👍🏽",
    "✅", "ok 👍", "Ja", "oui", "D’accord", "sí", "SI", "sì", "sim", "tak", "Evet", "Tamam", "да",
    "はい", "收到。", "네", "हाँ", "1 ok", "confirm",
]  # fmt: skip
DOESNT = [
    "", " ", "no", "NO", "nein", "non", "ne", "нет", "いいえ", "不是", "不好", "아니요", "नहीं",
    "2", "11", "1?", "ok?", "ok, but who is this?", "not ok", "yes no", "I can't", "10", "1st",
    "👎", "?", "...", "nok", "yesterday",
]  # fmt: skip


@pytest.mark.parametrize("body", CONFIRMS)
def test_confirms(body):
    assert kind_of(body) is ReplyKind.CONFIRMS


@pytest.mark.parametrize("body", DOESNT)
def test_does_not_confirm(body):
    assert kind_of(body) is ReplyKind.OTHER


@pytest.mark.parametrize(
    "body", ["STOP", "stop.", "Unsubscribe", "END", "quit", "Cancel", "OptOut"]
)
def test_asks_for_no_more_texts(body):
    assert kind_of(body) is ReplyKind.STOP
    assert "no more texts" in note_of(body)


@pytest.mark.parametrize(("body", "again"), [("START", True), ("yes", True), ("start it", False)])
def test_wants_texts_again(body, again):
    assert starts_again(body) is again


def test_what_they_wrote_is_kept_in_one_line():
    assert note_of(" On my\nway\u0000 ") == "Replied “On my way”"
    assert note_of("") == "Replied without words"
    assert len(note_of("x" * 1600)) < 320


@pytest.mark.parametrize("language", [each.code for each in LANGUAGES])
def test_every_language_asks_for_a_1(language):
    assert "1" in key_press_words(language).reply
