"""However long a value is, it is refused before anything looks into it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from alerts import UnusableInput
from alerts.message.compose import compose, write_message
from alerts.phone_numbers import Regions, read_number
from tests.support.desks import CALL

# Ten thousand times what it takes, on a machine that is busy with other tests too.
LONGEST_SECONDS = 1.0
SPACES = "4128574309" + " " * 20_000 + "x"
VALUES = [SPACES, "1" * 15_000_000, "(" * 1_000_000, "412 " * 250_000, "x" * 1_000_000]


def refused(field: str, change: dict[str, Any]) -> str:
    """The sentence that refuses a request; it names this field and comes at once."""
    began = time.process_time()
    with pytest.raises(UnusableInput) as refusal:
        compose(replace(CALL, **change), Regions())
    assert time.process_time() - began < LONGEST_SECONDS
    assert refusal.value.field == field
    assert len(str(refusal.value)) < 500
    return str(refusal.value)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value[:3])
def test_a_number(value: str):
    began = time.process_time()
    with pytest.raises(UnusableInput, match="too long"):
        read_number(value, Regions())
    assert time.process_time() - began < LONGEST_SECONDS
    refused("phone_number", {"to": value})
    refused("then_to", {"then_to": (value,)})


def test_a_number_with_space_around_it():
    assert read_number(" " * 5_000 + "(412) 857-4309\n", Regions()).e164 == "+14128574309"


def test_many_numbers():
    refused("then_to", {"then_to": ("4128574309",) * 100_000})


@pytest.mark.parametrize(
    "field",
    ["message", "voicemail", "voice", "language", "time_zone", "quiet_hours", "channel", "user"],
)
@pytest.mark.parametrize("value", [*VALUES, "{{ now }}" * 100_000], ids=lambda value: value[:3])
def test_a_text(field: str, value: str):
    assert "characters at most" in refused(field, {field: value})


def test_the_preview_refuses_it_too():
    with pytest.raises(UnusableInput, match="20,000 characters at most"):
        write_message(replace(CALL, message="{{ now }}" * 100_000))
