"""Telephone numbers as Twilio takes and shows them."""

from __future__ import annotations

import re

import phonenumbers

SIMULATOR_FROM_NUMBER = "+17248675309"
"""The number that the simulated account owns and calls from."""

_ONLY_NUMBER_CHARACTERS = re.compile(r"\+?[\d\s().\-]+")
_NORTH_AMERICA = 1


def read_number(text: str) -> str | None:
    """`text` in E.164, or None if nobody can have that number. National numbers count as US."""
    if not _ONLY_NUMBER_CHARACTERS.fullmatch(text.strip()):
        return None
    try:
        number = phonenumbers.parse(text, "US")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def for_display(e164: str) -> str:
    """A North American number as (412) 555-0100; any other stays in E.164."""
    number = phonenumbers.parse(e164)
    if number.country_code != _NORTH_AMERICA:
        return e164
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
