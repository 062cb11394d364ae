"""What a row says can't pass for a line of the log, and is shown without a terminal's codes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.log_lines import on_one_line
from tests.support.watched import watched

FORGED = "2026-11-26 ERROR forged \x1b[31m\u202e"


async def test_a_row_that_names_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    row = (1, "T1", 300, f'"Nobody\u2028\n{FORGED}\r\n%s"')
    async with watched(tmp_path, row) as scene:
        rule = await scene.switched_on("all", owner="")
        await scene.check(rule)
    lines = [each for each in caplog.messages if "can't tell anybody" in each]
    assert any("ERROR forged" in each for each in lines)
    assert [each for each in lines if not each.isprintable()] == []
    assert all(each.startswith("The rule Diacetyl ") for each in lines)


@given(st.text())
def test_any_words(words: str):
    shown = on_one_line(words)
    assert shown.isprintable()
    assert on_one_line(shown) == shown
    if words.isprintable():
        assert shown == words
