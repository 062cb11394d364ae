"""Numbers the way people write them."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alerts.errors import UnusableInput
from alerts.phone_numbers import PhoneNumber, Regions, international, read_number

US = Regions()
GB = Regions("GB", ("GB",))
WIDE = Regions("US", ("US", "GB", "DE", "CA"))


def refusal(text: str, regions: Regions = US) -> str:
    with pytest.raises(UnusableInput) as refused:
        read_number(text, regions)
    assert refused.value.field == "phone_number"
    return str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "+14128574309",
        "(412) 857-4309",
        "412-857-4309",
        "412.857.4309",
        "4128574309",
        "1 412 857 4309",
        "  +1 412 857 4309\n",
        "tel:+1-412-857-4309",
        "011 1 412 857 4309",
        "４１２－８５７－４３０９",  # full-width digits
        "412\u00a0857\u20114309",  # no-break space, no-break hyphen
        "Phone: 412 857 4309",
    ],
)
def test_many_ways_of_writing_one_number(text):
    assert read_number(text, US) == PhoneNumber("+14128574309", "+1 412-857-4309", "US")


@pytest.mark.parametrize(
    ("text", "regions", "e164"),
    [
        ("1-800-FLOWERS", US, "+18003569377"),
        ("020 7946 0018", GB, "+442079460018"),
        ("+44 (0)20 7946 0018", WIDE, "+442079460018"),
        ("+49 30 901820", WIDE, "+4930901820"),
        ("+1 604 555 0123", WIDE, "+16045550123"),
    ],
)
def test_other_numbers(text, regions, e164):
    assert read_number(text, regions).e164 == e164


def test_what_people_read():
    number = read_number("4128574309", US)
    assert (number.country, number.place) == ("United States", "Pennsylvania")
    assert international("+442079460018") == "+44 20 7946 0018"


@pytest.mark.parametrize(
    ("text", "country", "region"),
    [
        ("+44 20 7946 0018", "United Kingdom", "GB"),
        ("+1 604 555 0123", "Canada", "CA"),
        ("+1 809 555 0123", "Dominican Republic", "DO"),
    ],
)
def test_countries_that_may_not_be_called(text, country, region):
    sentence = refusal(text)
    assert country in sentence
    assert f"{region} to ALLOWED_REGIONS" in sentence


def test_the_default_region_is_not_allowed_by_itself():
    assert "United States" in refusal("412 857 4309", Regions("US", ("GB",)))


@pytest.mark.parametrize("text", ["+800 1234 5678", "+881 6 1234 5678", "+882 16 123 4567"])
def test_numbers_of_no_country(text):
    sentence = refusal(text)
    assert "no country" in sentence
    assert "ALLOWED_REGIONS" not in sentence


@pytest.mark.parametrize(
    ("text", "regions"),
    [("911", US), ("9-1-1", US), ("112", US), ("999", GB), ("999", WIDE), ("110", WIDE)],
)
def test_emergency(text, regions):
    assert "emergency" in refusal(text, regions)


@pytest.mark.parametrize(("text", "regions"), [("900 234 5678", US), ("0909 879 0000", GB)])
def test_premium_rate(text, regions):
    assert "premium-rate" in refusal(text, regions)


@pytest.mark.parametrize("text", ["412 857 4309 ext. 5", "+14128574309;ext=5", "4128574309x5"])
def test_an_extension_is_not_dropped_in_silence(text):
    assert "extension 5" in refusal(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Type a phone number."),
        (" \t\n", "Type a phone number."),
        ("hello", "isn't a phone number"),
        ("+1 412 857", "Too few digits"),
        ("41285743", "digits"),
        ("857 4309", "area code is missing"),
        ("+1 412 857 4309 12", "Too many digits"),
        ("4" * 30, "too long"),
        ("4" * 100_000, "too long"),
        ("+999 12345678", "No country"),
        ("+1 000 857 4309", "No such number"),
        ("\ud800", "isn't a phone number"),
    ],
)
def test_what_is_no_number(text, words):
    assert words in refusal(text)


near_numbers = st.text(alphabet="+0123456789 ()-./;=ext#*,٠١٢\u200b", max_size=40)
regions = st.sampled_from([US, GB, WIDE, Regions("DE", ("DE", "AT", "CH"))])


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(max_size=60), near_numbers), regions)
@example("+", US)
@example("\x00", US)
def test_any_text_is_a_number_or_refused_in_one_sentence(text, regions):
    number = read_or_refuse(text, regions)
    if isinstance(number, UnusableInput):
        assert number.field == "phone_number"
        assert str(number).endswith(".")
        assert len(str(number)) < 150
    else:
        assert re.fullmatch(r"\+[1-9][0-9]{6,14}", number.e164)
        assert number.region in regions.allowed
        assert read_number(number.e164, regions) == number


def read_or_refuse(text: str, regions: Regions) -> PhoneNumber | UnusableInput:
    try:
        return read_number(text, regions)
    except UnusableInput as refused:
        return refused
