"""Words from outside can't pass for a line of the log, and are shown without a terminal's codes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alerts.log_lines import on_one_line


@given(st.text())
def test_any_words(words: str):
    shown = on_one_line(words)
    assert shown.isprintable()
    assert on_one_line(shown) == shown
    if words.isprintable():
        assert shown == words
