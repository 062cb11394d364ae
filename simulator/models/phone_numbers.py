"""Telephone numbers as Twilio accepts and shows them, and its magic ones for tests."""

from __future__ import annotations

import re

import phonenumbers

from simulator.errors import ApiError

SIMULATOR_FROM_NUMBER = "+17248675309"
"""The number that the simulated account owns and calls from."""

_ONLY_NUMBER_CHARACTERS = re.compile(r"\+?[\d\s().\-]+")
_SHORT_CODE = re.compile(r"[0-9]{3,8}")
_SENDER_ID = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 +&_-]{1,11}")
_NORTH_AMERICA = 1
_REGIONS_WITHOUT_SENDER_IDS = frozenset({"US", "CA"})

# The magic numbers. https://www.twilio.com/docs/iam/test-credentials#magic-input
VALID_FROM = "+15005550006"
"""The caller ID that every account may use for tests."""
AREA_CODE_TO_BUY_FROM = "500"
"""The area code in which one number can always be bought: VALID_FROM."""
AREA_CODE_WITHOUT_NUMBERS = "533"

_INVALID_FROM = (21212, "The 'From' number {number} is not a valid phone number.")
CALL_TO = {
    "+15005550001": (21217, "The 'To' number {number} does not appear to be valid."),
    "+15005550002": (21214, "The 'To' number {number} cannot be reached."),
    "+15005550003": (
        21215,
        "Account not authorized to call {number}. "
        "Perhaps you need to enable some international permissions.",
    ),
    "+15005550004": (21216, "Account not allowed to call {number}."),
}
CALL_FROM = {"+15005550001": _INVALID_FROM}
MESSAGE_TO = {
    "+15005550001": (21211, "The 'To' number {number} is not a valid phone number."),
    "+15005550002": (21612, "The 'To' number {number} is not currently reachable by SMS."),
    "+15005550003": (
        21408,
        "Permission to send an SMS has not been enabled for the region indicated by the "
        "'To' number: {number}.",
    ),
    "+15005550004": (21610, "Attempt to send to unsubscribed recipient"),
    "+15005550009": (21614, "'To' number {number} is not a valid mobile number."),
}
MESSAGE_FROM = {
    "+15005550001": _INVALID_FROM,
    "+15005550008": (21611, "The 'From' number {number} has a queue of messages that is full."),
}
NUMBER_TO_BUY = {
    "+15005550000": (21422, "{number} is not available."),
    "+15005550001": (21421, "{number} is not a valid number."),
}
_HTTP_STATUSES = {21611: 429}


def read_number(text: str) -> str | None:
    """Return `text` in E.164, or None if no telephone can have that number.

    A national number counts as one of the US.
    """
    if not _ONLY_NUMBER_CHARACTERS.fullmatch(text.strip()):
        return None
    try:
        number = phonenumbers.parse(text, "US")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number) and not _has_new_area_code(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def require_number(text: str) -> str:
    """Return `text` in E.164. Raise ValueError, in a sentence, if no telephone can have it."""
    number = read_number(text)
    if number is None:
        raise ValueError(f"{text} is not a telephone number. Write it as +14125550100.")
    return number


def _has_new_area_code(number: phonenumbers.PhoneNumber) -> bool:
    """Whether a North American area code may be newer than phonenumbers' tables, as 436 was.

    None begins with 0 or 1. https://www.nanpa.com/numbering
    """
    national = phonenumbers.national_significant_number(number)
    if number.country_code != _NORTH_AMERICA or not phonenumbers.is_possible_number(number):
        return False
    sample = phonenumbers.parse(f"+{_NORTH_AMERICA}{national[:3]}2345678")
    return national[0] not in "01" and not phonenumbers.is_valid_number(sample)


def read_sender(text: str) -> str | None:
    """Return a sender of texts: a number in E.164, a short code or a sender ID; None otherwise."""
    stripped = text.strip()
    if is_short_code(stripped) or is_sender_id(stripped):
        return stripped
    return read_number(text)


def is_short_code(text: str) -> bool:
    """Whether `text` may be a short code, such as 72525."""
    return _SHORT_CODE.fullmatch(text) is not None


def is_sender_id(text: str) -> bool:
    """Whether `text` may be an alphanumeric sender ID, such as `My Company`.

    https://www.twilio.com/docs/glossary/what-alphanumeric-sender-id
    """
    return _SENDER_ID.fullmatch(text) is not None


def takes_sender_ids(number: str) -> bool:
    """Whether the country of `number` (E.164) lets texts come from a sender ID."""
    region = phonenumbers.region_code_for_number(phonenumbers.parse(number))
    return region not in _REGIONS_WITHOUT_SENDER_IDS


def for_display(e164: str) -> str:
    """Return a North American number as (412) 555-0100; any other stays in E.164."""
    number = phonenumbers.parse(e164)
    if number.country_code != _NORTH_AMERICA:
        return e164
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)


def refuse_if_magic(number: str, table: dict[str, tuple[int, str]]) -> None:
    """Raise the ApiError that `number` stands for in one of the tables above, if any."""
    if number in table:
        code, message = table[number]
        raise ApiError(code, message.format(number=number), _HTTP_STATUSES.get(code, 400))
