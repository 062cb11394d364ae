"""Twilio's test numbers. https://www.twilio.com/docs/iam/test-credentials#magic-input"""

from __future__ import annotations

import pytest
from twilio.base.exceptions import TwilioRestException

from simulator import PEOPLE, SIMULATOR_FROM_NUMBER
from simulator.models.phone_numbers import read_number
from tests.support.simulator_line import TO, Line, simulator_line

VALID = "+15005550006"


@pytest.fixture(scope="module")
def line():
    with simulator_line() as opened:
        yield opened


@pytest.mark.parametrize(
    ("from_", "to", "code"),
    [
        ("+15005550001", TO, 21212),
        ("+14158675310", TO, 21210),
        (VALID, "+15005550001", 21217),
        (VALID, "+15005550002", 21214),
        (VALID, "+15005550003", 21215),
        (VALID, "+15005550004", 21216),
    ],
)
def test_calls_are_refused(line: Line, from_: str, to: str, code: int):
    with pytest.raises(TwilioRestException) as refusal:
        line.twilio.calls.create(to=to, from_=from_, twiml="<Response/>")
    assert (refusal.value.status, refusal.value.code) == (400, code)


@pytest.mark.parametrize(
    ("from_", "to", "status", "code"),
    [
        ("+15005550001", TO, 400, 21212),
        ("+15005550007", TO, 400, 21606),
        ("+15005550008", TO, 429, 21611),
        ("+14158675310", TO, 400, 21606),
        (VALID, "+15005550001", 400, 21211),
        (VALID, "+15005550002", 400, 21612),
        (VALID, "+15005550003", 400, 21408),
        (VALID, "+15005550004", 400, 21610),
        (VALID, "+15005550009", 400, 21614),
    ],
)
def test_texts_are_refused(line: Line, from_: str, to: str, status: int, code: int):
    with pytest.raises(TwilioRestException) as refusal:
        line.twilio.messages.create(to=to, from_=from_, body="Hello")
    assert (refusal.value.status, refusal.value.code) == (status, code)


def test_the_valid_number_may_call_and_text(line: Line):
    assert line.twilio.calls.create(to=TO, from_=VALID, twiml="<Response/>")._from == VALID
    assert line.twilio.messages.create(to=TO, from_=VALID, body="Hello").from_ == VALID


def test_everybody_in_the_directory_has_a_real_number_of_their_own():
    numbers = [person.number for person in PEOPLE]
    assert len(set(numbers)) == len(numbers)
    assert all(read_number(number) == number for number in [*numbers, SIMULATOR_FROM_NUMBER])
    assert all(person.description.endswith(".") for person in PEOPLE)


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("+1 436 555 0147", "+14365550147"),  # an area code in service since 2024
        ("+1 412 055 0147", None),  # no number of a known area code goes on like this
        ("+1 136 555 0147", None),
        ("+1 436 555 01", None),
    ],
)
def test_area_codes_that_are_newer_than_the_tables(typed: str, number: str | None):
    assert read_number(typed) == number
