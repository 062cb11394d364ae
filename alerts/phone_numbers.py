"""Phone numbers the way people write them, read into E.164 or refused in one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from babel import Locale
from phonenumbers import NumberParseException, PhoneNumberType, ValidationResult

from alerts.errors import UnusableInput

# phonenumbers' region for satellite phones and international services. It isn't a country, so
# ALLOWED_REGIONS can't name it.
NO_COUNTRY = "001"
# As phonenumbers' own limit, which it checks only after other rules have read the whole text.
MOST_CHARACTERS = 250
LENGTH_PROBLEMS = {
    ValidationResult.TOO_SHORT: "Too few digits for a phone number",
    ValidationResult.TOO_LONG: "Too many digits for a phone number",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "The area code is missing",
    ValidationResult.INVALID_LENGTH: "Not the right number of digits for a phone number",
}


@dataclass(frozen=True, slots=True)
class Regions:
    """Where national numbers are read, and which countries may be called (ISO 3166-1 alpha-2)."""

    default: str = "US"
    allowed: tuple[str, ...] = ("US",)


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A number that may be called: `e164` for machines, `international` for people."""

    e164: str
    international: str
    region: str

    @property
    def country(self) -> str:
        """The country's English name."""
        return country_name(self.region)

    @property
    def place(self) -> str:
        """The city or state that the number belongs to, or "" if the number doesn't say."""
        # Imported here because its tables take a quarter of a second, too long for the first page.
        from phonenumbers import geocoder  # noqa: PLC0415

        place = str(geocoder.description_for_number(phonenumbers.parse(self.e164), "en"))
        return "" if place == self.country else place


# The page, the check before sending and the desk read the same number one after another.
@lru_cache(maxsize=1000)
def read_number(text: str, regions: Regions) -> PhoneNumber:
    """Read a phone number; a national number is taken to be in `regions.default`.

    Raises `UnusableInput` for what isn't a number, for countries not in `regions.allowed`, and for
    emergency and premium-rate numbers.
    """
    text = text.strip()
    if len(text) > MOST_CHARACTERS:
        raise UnusableInput("phone_number", "That is too long for a phone number.")
    if not text:
        raise UnusableInput("phone_number", "Type a phone number.")
    _refuse_emergency(text, regions)
    try:
        number = phonenumbers.parse(text, regions.default)
    except NumberParseException as problem:
        raise UnusableInput("phone_number", _why_unreadable(problem)) from None
    _refuse_unusable(number, regions)
    region = phonenumbers.region_code_for_number(number) or NO_COUNTRY
    if region == NO_COUNTRY:
        raise UnusableInput(
            "phone_number", "That number belongs to no country, so it can't be called from here."
        )
    if region not in regions.allowed:
        raise UnusableInput(
            "phone_number",
            f"{country_name(region)} isn't among the countries allowed here. To allow it, add "
            f"{region} to ALLOWED_REGIONS.",
        )
    return PhoneNumber(
        e164=phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
        international=_international(number),
        region=region,
    )


def international(e164: str) -> str:
    """A number in E.164 the way people read it: "+1 412-857-4309"."""
    return _international(phonenumbers.parse(e164))


def _international(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def country_name(region: str) -> str:
    """The English name of an ISO 3166-1 alpha-2 region."""
    return str(Locale("en").territories.get(region, "that network"))


def _refuse_emergency(text: str, regions: Regions) -> None:
    if any(phonenumbers.is_emergency_number(text, r) for r in {regions.default, *regions.allowed}):
        raise UnusableInput(
            "phone_number", f"{text} is an emergency number; Callboard won't call it."
        )


def _refuse_unusable(number: phonenumbers.PhoneNumber, regions: Regions) -> None:
    length = phonenumbers.is_possible_number_with_reason(number)
    where = country_name(phonenumbers.region_code_for_country_code(number.country_code or 0))
    if number.country_code == phonenumbers.country_code_for_region(regions.default):
        where = country_name(regions.default)
    if length in LENGTH_PROBLEMS:
        raise UnusableInput("phone_number", f"{LENGTH_PROBLEMS[length]} ({where}).")
    if not phonenumbers.is_valid_number(number):
        raise UnusableInput("phone_number", f"No such number exists ({where}). Check the digits.")
    if number.extension:
        raise UnusableInput(
            "phone_number", f"Leave out the extension {number.extension}: it can't be dialed."
        )
    if phonenumbers.number_type(number) == PhoneNumberType.PREMIUM_RATE:
        raise UnusableInput(
            "phone_number", "That is a premium-rate number; Callboard won't call it."
        )


def _why_unreadable(problem: NumberParseException) -> str:
    if problem.error_type == NumberParseException.INVALID_COUNTRY_CODE:
        return "No country has that code after the plus sign."
    if problem.error_type == NumberParseException.TOO_LONG:
        return "That is too long for a phone number."
    return "That isn't a phone number. Type one such as (412) 857-4309."
