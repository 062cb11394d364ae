"""Phone numbers the way people write them, read into E.164 or refused in one sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from babel import Locale
from phonenumbers import NumberParseException, PhoneNumberType, ValidationResult

from alerts.errors import UnusableInput
from alerts.pasted_numbers import MOST_CHARACTERS, PastedNumber, take_apart

# phonenumbers' region for satellite phones and international services. It isn't a country, so
# ALLOWED_REGIONS can't name it.
NO_COUNTRY = "001"
NORTH_AMERICA = 1
# With the country code, as in Niue. A shorter number that isn't in the tables is a mistake.
FEWEST_DIGITS = 7
# E.164 has no longer numbers, country code included. https://www.itu.int/rec/T-REC-E.164
MOST_DIGITS = 15
NO_NUMBER = "That isn't a phone number. Type one such as (412) 857-4309."
MOST_CHARACTERS_SHOWN = 40
# Digits that complete a number for a look at its neighbors.
SAMPLE_DIGITS = "23456789012345"
# Twilio waits half a second for each w, and takes 32 characters.
PAUSE = "wwww"
MOST_SEND_DIGITS = 32
# Prefixes of addresses that aren't on the telephone network: Twilio's, and others like them.
# https://www.twilio.com/docs/messaging/channels
MESSENGERS = frozenset({"whatsapp", "messenger", "rcs", "signal", "telegram", "viber"})
ADDRESSES = frozenset({"sip", "sips", "client", "sim", "app", "mailto", "http", "https"})
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
    """A number that may be called: `e164` for machines, `international` for people.

    `extension` is what a call dials once it is answered: a comma for each pause beyond the first,
    then the keys. `warning` says why Twilio may refuse the number, or is "".
    """

    e164: str
    international: str
    region: str
    extension: str = ""
    warning: str = ""

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

    @property
    def dialed(self) -> str:
        """The number and its extension as a phone stores them: "+14128574309,123"."""
        return join_dialed(self.e164, self.extension)

    @property
    def send_digits(self) -> str | None:
        """The extension in Twilio's form; None if there is none.

        https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource
        """
        return send_digits(self.extension)


# The page, the check before sending and the desk read the same number one after another.
@lru_cache(maxsize=1000)
def read_number(text: str, regions: Regions) -> PhoneNumber:
    """Read a phone number; a national number is taken to be in `regions.default`.

    Raises `UnusableInput` for what isn't a number, for countries not in `regions.allowed`, and for
    emergency and premium-rate numbers. A number whose length is right and whose prefix isn't known
    has a `warning`: prefixes are put into service before they are in any table.
    """
    text = text.strip()
    if len(text) > MOST_CHARACTERS:
        raise UnusableInput("phone_number", "That is too long for a phone number.")
    pasted = take_apart(text)
    if not (pasted.label or pasted.number):
        raise UnusableInput("phone_number", "Type a phone number.")
    _refuse_other_addresses(pasted)
    _refuse_emergency(pasted, regions)
    _refuse_words(pasted, regions)
    number = _parse(pasted.number, regions)
    _refuse_lengths(number, regions)
    warning = ""
    if phonenumbers.is_valid_number(number):
        region = phonenumbers.region_code_for_number(number) or NO_COUNTRY
        kinds = {phonenumbers.number_type(number)}
    else:
        region, kinds = _nearest(number, regions)
        warning = "That prefix isn't in Callboard's tables yet. Twilio decides."
    _refuse_region(region, kinds, regions)
    extension = pasted.extension
    if len(send_digits(extension) or "") > MOST_SEND_DIGITS:
        raise UnusableInput("phone_number", "That extension is too long to be dialed.")
    international = _international(number)
    return PhoneNumber(
        e164=_e164(number),
        international=f"{international} ext. {keys_of(extension)}" if extension else international,
        region=region,
        extension=extension,
        warning=warning,
    )


def send_digits(extension: str) -> str | None:
    """Return an extension in the form of Twilio's `SendDigits`; None for ""."""
    keys = keys_of(extension)
    pauses = 1 + len(extension) - len(keys)
    return PAUSE * pauses + keys if extension else None


def keys_of(extension: str) -> str:
    """Return the keys of an extension without the pauses before them."""
    return extension.lstrip(",")


def shortened(text: str) -> str:
    """Return what was typed for use in a sentence: without white space around it, not too long."""
    text = text.strip()
    return text if len(text) <= MOST_CHARACTERS_SHOWN else f"{text[:MOST_CHARACTERS_SHOWN]}…"


def join_dialed(e164: str, extension: str) -> str:
    """Join a number in E.164 and its extension, "" for none, as in `PhoneNumber.dialed`."""
    return f"{e164},{extension}" if extension else e164


def split_dialed(dialed: str) -> tuple[str, str]:
    """Split a number as in `PhoneNumber.dialed` into E.164 and extension."""
    e164, _, extension = dialed.partition(",")
    return e164, extension


# A page writes the same numbers again at each change of an alert.
@lru_cache(maxsize=1000)
def international(dialed: str) -> str:
    """A number in E.164, or `dialed`, the way people read it: "+1 412-857-4309 ext. 123"."""
    e164, extension = split_dialed(dialed)
    shown = _international(phonenumbers.parse(e164))
    return f"{shown} ext. {keys_of(extension)}" if extension else shown


def _international(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def country_name(region: str) -> str:
    """The English name of an ISO 3166-1 alpha-2 region."""
    return str(Locale("en").territories.get(region, "that network"))


def _refuse_other_addresses(pasted: PastedNumber) -> None:
    """Refuse what isn't for the telephone: WhatsApp, SIP, an email or web address."""
    scheme, colon, _ = pasted.label.lower().partition(":")
    if colon and scheme in MESSENGERS:
        raise UnusableInput(
            "phone_number",
            f"Callboard makes calls and sends plain texts, no {scheme} messages. Leave out "
            f"“{scheme}:” to call or text the number itself.",
        )
    if colon and scheme in ADDRESSES:
        raise UnusableInput(
            "phone_number",
            f"Callboard calls phone numbers, not {scheme}: addresses. Type one such as "
            "(412) 857-4309.",
        )
    if "@" in pasted.label + pasted.number or not pasted.digits:
        raise UnusableInput("phone_number", NO_NUMBER)


def _refuse_emergency(pasted: PastedNumber, regions: Regions) -> None:
    written = "+" * pasted.number.startswith("+") + pasted.digits
    if any(
        phonenumbers.is_emergency_number(written, region)
        for region in {regions.default, *regions.allowed}
    ):
        raise UnusableInput(
            "phone_number", f"{written} is an emergency number; Callboard won't call it."
        )


def _refuse_words(pasted: PastedNumber, regions: Regions) -> None:
    """Refuse words beside the digits, unless they stand for digits as in 1-800-FLOWERS."""
    words = pasted.words
    if not words or _is_vanity(pasted, regions):
        return
    if not words.isprintable():
        raise UnusableInput("phone_number", NO_NUMBER)
    raise UnusableInput(
        "phone_number",
        f"Leave out “{shortened(words)}”: a number has digits, or letters as in 1-800-FLOWERS.",
    )


def _is_vanity(pasted: PastedNumber, regions: Regions) -> bool:
    """Whether the words are part of a toll-free number, and the digits alone are no number.

    Only toll-free numbers: "857-4309 Fax" would otherwise be a valid number in Massachusetts.
    """
    words = pasted.words.replace(" ", "")
    if not (words.isascii() and words.isalpha()):
        return False
    digits = phonenumbers.convert_alpha_characters_in_number(pasted.number.upper())
    try:
        number = phonenumbers.parse(digits, regions.default)
        if phonenumbers.number_type(number) != PhoneNumberType.TOLL_FREE:
            return False
        alone = phonenumbers.parse(re.sub("[A-Za-z]", "", pasted.number), regions.default)
        length = phonenumbers.is_possible_number_with_reason(alone)
        return length != ValidationResult.IS_POSSIBLE or _count(alone) < FEWEST_DIGITS
    except NumberParseException as problem:
        # Too short for a number without its letters.
        return bool(problem.error_type == NumberParseException.TOO_SHORT_NSN)


def _parse(text: str, regions: Regions) -> phonenumbers.PhoneNumber:
    try:
        return phonenumbers.parse(text, regions.default)
    except NumberParseException as problem:
        raise UnusableInput("phone_number", _why_unreadable(problem)) from None


def _refuse_lengths(number: phonenumbers.PhoneNumber, regions: Regions) -> None:
    code = number.country_code or 0
    where = country_name(phonenumbers.region_code_for_country_code(code))
    if code == phonenumbers.country_code_for_region(regions.default):
        where = country_name(regions.default)
    length = phonenumbers.is_possible_number_with_reason(number)
    if length not in LENGTH_PROBLEMS:
        digits = _count(number)
        if digits < FEWEST_DIGITS:
            length = ValidationResult.TOO_SHORT
        elif digits > MOST_DIGITS:
            length = ValidationResult.TOO_LONG
    if length in LENGTH_PROBLEMS:
        raise UnusableInput("phone_number", f"{LENGTH_PROBLEMS[length]} ({where}).")
    if _can_never_exist(number):
        raise UnusableInput("phone_number", f"No such number exists ({where}). Check the digits.")


def _can_never_exist(number: phonenumbers.PhoneNumber) -> bool:
    """Whether no number can look like this, not even with a prefix that is yet to come."""
    # None in North America begins with 0 or 1. https://www.nanpa.com/numbering
    if number.country_code == NORTH_AMERICA:
        return phonenumbers.national_significant_number(number)[0] in "01"
    # In Germany 0000000 would become +49000000, which is read as +4900000: the first 0 counts as
    # the one before an area code.
    return phonenumbers.parse(_e164(number)) != number


def _e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _count(number: phonenumbers.PhoneNumber) -> int:
    """Return how many digits a number has, with its country code."""
    return len(f"{number.country_code}{phonenumbers.national_significant_number(number)}")


def _nearest(number: phonenumbers.PhoneNumber, regions: Regions) -> tuple[str, set[int]]:
    """Return the region, and the kinds, of the valid numbers that begin most like this one.

    So a number that isn't valid is taken to be where its area code is: several countries share
    +1, and a Jamaican number mustn't pass for an American one.
    """
    national = phonenumbers.national_significant_number(number)
    code = f"+{number.country_code}"
    main = phonenumbers.region_code_for_country_code(number.country_code or 0)
    for known in range(len(national) - 1, 0, -1):
        rest = len(national) - known
        alike = [
            phonenumbers.parse(code + national[:known] + (digit + SAMPLE_DIGITS)[:rest])
            for digit in "0123456789"
        ]
        valid = [each for each in alike if phonenumbers.is_valid_number(each)]
        if valid:
            found = [str(phonenumbers.region_code_for_number(each)) for each in valid]
            region = next((each for each in (regions.default, main) if each in found), found[0])
            return region, {phonenumbers.number_type(each) for each in valid}
    return main, set()


def _refuse_region(region: str, kinds: set[int], regions: Regions) -> None:
    if PhoneNumberType.PREMIUM_RATE in kinds:
        raise UnusableInput(
            "phone_number", "That is a premium-rate number; Callboard won't call it."
        )
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


def _why_unreadable(problem: NumberParseException) -> str:
    if problem.error_type == NumberParseException.INVALID_COUNTRY_CODE:
        return "No country has that code after the plus sign."
    if problem.error_type == NumberParseException.TOO_LONG:
        return "That is too long for a phone number."
    return NO_NUMBER
