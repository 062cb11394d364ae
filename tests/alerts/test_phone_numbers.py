"""Numbers the way people write them."""

from __future__ import annotations

import re
import unicodedata

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from alerts.errors import UnusableInput
from alerts.pasted_numbers import take_apart
from alerts.phone_numbers import PhoneNumber, Regions, international, read_number

US = Regions()
GB = Regions("GB", ("GB",))
DE = Regions("DE", ("DE",))
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


@pytest.mark.parametrize(
    ("text", "extension", "send_digits"),
    [
        ("412 857 4309 ext. 5", "5", "wwww5"),
        ("412 857 4309 Extension: 5", "5", "wwww5"),
        ("+14128574309;ext=5", "5", "wwww5"),
        ("tel:+1-412-857-4309;ext=012", "012", "wwww012"),
        ("4128574309x123", "123", "wwww123"),
        ("(412) 857-4309 X123", "123", "wwww123"),
        ("412-857-4309 #12", "12", "wwww12"),
        ("412-857-4309,123", "123", "wwww123"),
        ("412-857-4309,,123", ",123", "wwwwwwww123"),
        ("412-857-4309,,,123#", ",,123#", "wwwwwwwwwwww123#"),
        ("412-857-4309 ｅｘｔ．１２３", "123", "wwww123"),
        ("412-857-4309 доб. 123", "123", "wwww123"),
        ("412-857-4309 x1\u200b2", "12", "wwww12"),
        ("1-800-FLOWERS x9", "9", "wwww9"),
    ],
)
def test_an_extension_is_kept_beside_the_number(text, extension, send_digits):
    number = read_number(text, US)
    assert number.e164 in {"+14128574309", "+18003569377"}
    assert (number.extension, number.send_digits) == (extension, send_digits)
    assert read_number(number.dialed, US) == number
    assert number.international.endswith(f" ext. {extension.lstrip(',')}")
    assert international(number.dialed) == number.international


def test_a_number_without_an_extension():
    number = read_number("412 857 4309", US)
    assert (number.extension, number.send_digits, number.dialed) == ("", None, "+14128574309")


def test_an_extension_that_twilio_cannot_dial():
    assert "too long" in refusal("412 857 4309,,,,,,,,1234")
    # Twilio takes 32 characters, four of which are the first pause.
    assert read_number("412 857 4309,,,123456789012345678901"[:-1], US).extension
    assert "too long" in refusal("412 857 4309,,,,12345678901234567890")


@pytest.mark.parametrize(
    ("text", "regions", "words"),
    [
        ("857-4309 Fax", US, "Fax"),
        ("412-857-4309 Fax", US, "Fax"),
        ("412 857 4309 (home)", US, "home"),
        ("412 857 home", US, "home"),
        ("412-857-4309 Ann Lee", US, "Ann Lee"),
        ("412 call 857 4309", US, "call"),
        ("412 857 4309 or 412 857 4310", US, "or"),
        ("412 857 4309 📞", US, "📞"),
        ("412 857 4309 働く", US, "働く"),
        ("412 857 430²", US, "²"),
        ("412 857 430①", US, "①"),
        ("412 857 430½", US, "½"),
        ("*67 412 857 4309 *", US, "*"),
        ("1-800-356-9377 Fax", US, "Fax"),
        ("1-800-FLOWERS Shop", US, "FLOWERS Shop"),
        ("412 857 4309 extra", US, "extra"),
        ("412 857 4309 x", US, "x"),
        ("412 857 4309 " + "a" * 99, US, "aaa…"),
        ("020 7946 0018 Fax", GB, "Fax"),
        ("0800 1111 Fax", GB, "Fax"),
        ("030 901820 Büro", DE, "Büro"),
        ("0800 1234567 Fax", DE, "Fax"),
        ("+49 30 901820 Mobil", WIDE, "Mobil"),
    ],
)
def test_words_after_the_digits_are_refused_by_name(text, regions, words):
    assert f"{words}”" in refusal(text, regions)
    assert "Leave out “" in refusal(text, regions)


@pytest.mark.parametrize(
    ("text", "regions", "e164"),
    [
        ("1-800-FLOWERS", US, "+18003569377"),
        ("1-800-flowers", US, "+18003569377"),
        ("1 800 GO FEDEX", US, "+18004633339"),
        ("(800) 555-HELP", US, "+18005554357"),
        ("1-800-4MY-BABY", US, "+18004692229"),
        ("0800 FLOWERS", GB, "+448003569377"),
        ("0800 FLOWERS", DE, "+498003569377"),
    ],
)
def test_letters_that_stand_for_digits(text, regions, e164):
    assert read_number(text, regions).e164 == e164


def of_categories(*categories: str) -> list[str]:
    # The other planes of Unicode are ideographs, for private use, or empty.
    every = map(chr, [*range(0x20000), *range(0xE0000, 0xE1000)])
    return [each for each in every if unicodedata.category(each) in categories]


INVISIBLE = [
    *(c for c in of_categories("Cf", "Cc") if not c.isspace()),
    *map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0), 0x034F, 0x3164, 0x115F, 0xFFA0]),
]
SPACES = [*of_categories("Zs", "Zl", "Zp"), *"\t\n\r\v\f\x1c\x85", "\u2800"]
DASHES = [*of_categories("Pd", "Pc"), *"\u2212\u2043\u207b\u2796\u02d7\u30fc\u2500"]
DOTS = list(
    ".\u2024\u00b7\u2022\u2027\u2219\u22c5\u30fb\uff0e\ufe52\u3002\uff61\u06d4\u0387\uff65\u2e31"
)


@pytest.mark.parametrize(
    ("characters", "fewest"),
    [(INVISIBLE, 400), (SPACES, 20), (DASHES, 30), (DOTS, 14)],
    ids=["invisible", "spaces", "dashes", "dots"],
)
def test_every_character_of_a_kind_inside_a_number(characters, fewest):
    assert len(characters) > fewest
    read = {c: take_apart(f"{c}(412){c}857{c}4309{c}") for c in characters}
    refused = {f"U+{ord(c):04X}" for c, each in read.items() if each.digits != "4128574309"}
    assert refused == set()
    assert {f"U+{ord(c):04X}" for c, each in read.items() if each.words} == set()
    for character in characters[::25]:
        assert read_number(f"412{character}857{character}4309", US).e164 == "+14128574309"


def test_the_digits_of_every_script():
    zeros = [c for c in of_categories("Nd") if unicodedata.digit(c) == 0]
    assert len(zeros) > 50
    for zero in zeros:
        written = "".join(chr(ord(zero) + int(digit)) for digit in "4128574309")
        assert read_number(written, US).e164 == "+14128574309"


@pytest.mark.parametrize(
    "text",
    [
        "4\ufe0f\u20e31\ufe0f\u20e32\ufe0f\u20e3 857 4309",  # keycap emoji
        "412\u202f857\u20244309",
        "\u202a+1\u2011412\u2011857\u20114309\u202c",  # as copied from a contact card
        "412\n857\t4309",
        "\ufe621 412 857 4309",  # a small plus sign
        "412\u2044857\u20444309",  # fraction slashes
        "\uff08412\uff09857\uff0d4309",
        "<412 857 4309>,",
        "“412-857-4309”",
        "412_857_4309",
    ],
)
def test_numbers_as_they_are_pasted(text):
    assert read_number(text, US).e164 == "+14128574309"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("whatsapp:+14128574309", "leave out “whatsapp:”"),
        ("WhatsApp: +1 412 857 4309", "leave out “whatsapp:”"),
        ("messenger:14128574309", "leave out “messenger:”"),
        ("rcs:+14128574309", "leave out “rcs:”"),
        ("sip:+14128574309@example.com", "not sip: addresses"),
        ("client:anna", "not client: addresses"),
        ("client:anna1", "not client: addresses"),
        ("mailto:anna1@example.com", "not mailto: addresses"),
        ("https://example.com/4128574309", "not https: addresses"),
        ("anna4128574309@example.com", "isn't a phone number"),
    ],
)
def test_other_kinds_of_addresses(text, words):
    assert words in refusal(text).replace("Leave", "leave")


@pytest.mark.parametrize(
    ("text", "regions", "e164", "region"),
    [
        ("+1 436 555 0123", US, "+14365550123", "US"),  # in service since 2024
        ("(436) 857-4309", US, "+14368574309", "US"),
        ("436 857 4309", Regions("CA", ("CA", "US")), "+14368574309", "CA"),
        ("+44 1199 555012", GB, "+441199555012", "GB"),
        ("+49 1990 123456", DE, "+491990123456", "DE"),
    ],
)
def test_a_prefix_that_is_not_known_yet_is_a_warning(text, regions, e164, region):
    number = read_number(text, regions)
    assert (number.e164, number.region) == (e164, region)
    assert number.warning == "That prefix isn't in Callboard's tables yet. Twilio decides."
    assert read_number("412 857 4309", US).warning == ""


def test_an_example_of_every_country_as_written_there_and_abroad():
    everywhere = tuple(sorted(phonenumbers.SUPPORTED_REGIONS))
    for region in everywhere:
        for kind in (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE):
            number = phonenumbers.example_number_for_type(region, kind)
            if number is None:
                continue
            e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
            for form in (PhoneNumberFormat.NATIONAL, PhoneNumberFormat.INTERNATIONAL):
                text = phonenumbers.format_number(number, form)
                assert read_number(text, Regions(region, everywhere)).e164 == e164


@pytest.mark.parametrize(
    ("text", "regions", "words"),
    [
        # No valid numbers, for the exchange can't begin with 0 or 1; but it is clear where.
        ("+1 876 155 0123", US, "Jamaica"),
        ("+1 604 055 0123", US, "Canada"),
        ("+1 809 155 0123", WIDE, "Dominican Republic"),
        ("+7 701 000 00", Regions("RU", ("RU",)), "digits"),
        ("+44 1481 000000", GB, "Guernsey"),
        ("+44 1199 555012", US, "United Kingdom"),
        ("+1 900 055 0123", US, "premium-rate"),
        ("+800 0000 0000", US, "no country"),
        ("911 x5", US, "emergency"),
        ("911,,5", US, "emergency"),
        ("Emergency: 9.1.1", US, "emergency"),
        ("٩١١", US, "emergency"),
        ("9\u200b11", US, "emergency"),
        ("+49 1234", DE, "Too few digits"),
        ("10000000000000", DE, "Too many digits"),
        ("0000000", DE, "No such number"),
        ("000000", DE, "No such number"),
    ],
)
def test_an_unknown_prefix_opens_no_door(text, regions, words):
    assert words in refusal(text, regions)


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


@settings(max_examples=400)
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
        assert read_number(number.dialed, regions) == number


def read_or_refuse(text: str, regions: Regions) -> PhoneNumber | UnusableInput:
    try:
        return read_number(text, regions)
    except UnusableInput as refused:
        return refused
