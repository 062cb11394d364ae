"""How long words take to say: never shorter than the shortest, and near what voices take."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.message.speaking_time import estimated_seconds, shortest_seconds

SENTENCE = "Fermentation tank four has been above twenty-four degrees since nine this morning."


@pytest.mark.parametrize(
    ("words", "language", "about"),
    [
        # 82 characters, 13 words: voices say about 150 words a minute.
        (SENTENCE, "en-GB", 5.7),
        (f"{SENTENCE} {SENTENCE}", "en-GB", 11.8),
        ("4 1 2", "en-US", 0.95),
        ("第四号发酵罐温度过高", "zh-CN", 2.2),
        ("タンクの温度が高すぎます", "ja-JP", 2.0),
        ("탱크 온도가 너무 높습니다", "ko-KR", 2.2),
    ],
)
def test_about_as_long_as_voices_take(words, language, about):
    assert estimated_seconds(words, language) == pytest.approx(about, rel=0.1)


def test_a_period_in_a_number_is_no_pause():
    assert estimated_seconds("3.5", "en") < estimated_seconds("3. 5", "en") - 0.3


@given(st.text(), st.sampled_from(["en-GB", "ja-JP", "zh-CN", "hi-IN"]))
def test_nothing_is_said_faster_than_the_shortest(words, language):
    assert 0 <= shortest_seconds(words, language) <= estimated_seconds(words, language)


def test_what_makes_no_sound_takes_no_time():
    assert shortest_seconds("", "en") == 0
    assert shortest_seconds("a\u200bb", "en") == shortest_seconds("ab", "en")
    assert shortest_seconds("a  \n b", "en") == shortest_seconds("a b", "en")
    assert shortest_seconds("e\u0301", "fr") == shortest_seconds("é", "fr")
