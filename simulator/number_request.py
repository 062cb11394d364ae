"""What a POST to the IncomingPhoneNumbers resource asks for, checked as Twilio checks it."""

from __future__ import annotations

from simulator.api.forms import Form, read_friendly_name
from simulator.errors import ApiError
from simulator.models.account import Account, PhoneNumber
from simulator.models.phone_numbers import (
    AREA_CODE_TO_BUY_FROM,
    AREA_CODE_WITHOUT_NUMBERS,
    NUMBER_TO_BUY,
    VALID_FROM,
    read_number,
    refuse_if_magic,
)
from simulator.number_settings import read_number_settings

_LINES = range(100, 200)


def read_number_to_buy(form: Form, account: Account) -> str:
    """The number (E.164) that `form` asks for, itself or by area code. Raises ApiError."""
    text, area_code = form.get("PhoneNumber"), form.get("AreaCode")
    if not text and area_code:
        return _find_in(area_code, account)
    number = read_number(text)
    if number is not None:
        refuse_if_magic(number, NUMBER_TO_BUY)
    if number is None:
        raise ApiError(21421, f"PhoneNumber is invalid: {text or 'none was given'}.")
    if account.owns(number):
        raise ApiError(21422, f"{number} is not available.")
    return number


def change_number(number: PhoneNumber, form: Form) -> None:
    """Set what `form` sets, or nothing of it. Raises ApiError."""
    settings = read_number_settings(form)
    friendly_name = read_friendly_name(form)
    number.settings.update(settings)
    if friendly_name:
        number.friendly_name = friendly_name


def _find_in(area_code: str, account: Account) -> str:
    if area_code == AREA_CODE_TO_BUY_FROM:
        return VALID_FROM
    if not (area_code.isascii() and area_code.isdecimal() and len(area_code) == 3):
        raise ApiError(21451, f"Invalid area code: {area_code}.")
    for line in _LINES if area_code != AREA_CODE_WITHOUT_NUMBERS else ():
        number = read_number(f"+1{area_code}5550{line}")
        if number is not None and not account.owns(number):
            return number
    raise ApiError(21452, f"No phone numbers found in area code {area_code}.")
