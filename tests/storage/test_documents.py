"""Document names: safe for any input, impossible to guess, and still readable."""

from string import ascii_lowercase, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.base import is_document_name, name_in_url, unguessable_name


@given(st.text())
def test_any_text_becomes_a_safe_bounded_name(text):
    name = unguessable_name(text)
    assert set(name) <= set(ascii_lowercase + digits + "-")
    assert 32 <= len(name) <= 100
    assert is_document_name(name)
    assert name_in_url(f"https://example.com/a/{name}.xml") == name


def test_long_text_is_cut():
    assert len(unguessable_name("ann" * 500)) == 60 + 1 + 32


@given(st.text())
def test_random_part_is_new_every_time(text):
    names = {unguessable_name(text)[-32:] for _ in range(3)}
    assert len(names) == 3


def test_date_and_user_stay_readable():
    assert unguessable_name("2026-11-23-0942-Zoë O'Hara")[:-33] == "2026-11-23-0942-zoe-o-hara"


def test_random_bits_are_128_and_spread():
    numbers = [int(unguessable_name("x")[-32:], 16) for _ in range(200)]
    for bit in range(128):
        assert 40 < sum(number >> bit & 1 for number in numbers) < 160


@pytest.mark.parametrize(
    "name",
    ["", "ann", "../" + "a" * 32, "a" * 32 + "\n", "A" * 32, "a/" + "a" * 32, "." + "a" * 32],
)
def test_names_of_others_are_refused(name):
    assert not is_document_name(name)
    assert name_in_url(f"https://example.com/{name}") is None
    assert is_document_name("a" * 32)
