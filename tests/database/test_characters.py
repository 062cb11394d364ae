"""A text is refused before a database has to refuse it."""

from __future__ import annotations

import pytest

from database.characters import can_be_kept, is_whole


@pytest.mark.parametrize(
    ("text", "whole", "kept"),
    [
        ("", True, True),
        ("Zoë says 🍷\n", True, True),
        ("a NUL \0", True, False),
        ("half an emoji \ud83d", False, False),
        ("not UTF-8 \udcff", False, False),
    ],
)
def test_what_a_database_keeps(text: str, whole: bool, kept: bool):
    assert (is_whole(text), can_be_kept(text)) == (whole, kept)
