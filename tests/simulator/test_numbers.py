"""The account's telephone numbers, judged by Twilio's own package and Twilio's own schemas."""

from __future__ import annotations

import pytest
from twilio.base.exceptions import TwilioRestException

from simulator import SIMULATOR_FROM_NUMBER
from simulator.api.resources import snake_case
from tests.support.simulator_line import TO, Line
from tests.support.twilio_schemas import assert_is, assert_is_list, documented_parameters

NUMBER = "api.v2010.account.incoming_phone_number"
LIST = "/2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers.json"


def test_every_account_starts_with_one(shared: Line):
    (own,) = shared.twilio.incoming_phone_numbers.list()
    assert own.phone_number == SIMULATOR_FROM_NUMBER
    assert own.capabilities["sms"] is True
    assert shared.twilio.incoming_phone_numbers(own.sid).fetch().friendly_name == "(724) 867-5309"
    page = shared.http.get(shared.path("IncomingPhoneNumbers")).json()
    assert_is(NUMBER, page["incoming_phone_numbers"][0])
    assert_is_list(LIST, page)
    assert shared.http.get(page["incoming_phone_numbers"][0]["uri"]).json()["sid"] == own.sid


def test_a_number_is_bought_used_changed_and_given_back(line: Line):
    numbers = line.twilio.incoming_phone_numbers
    bought = numbers.create(
        phone_number="(412) 555-0150",
        friendly_name="Office",
        voice_url="https://example.com/voice",
        sms_method="get",
        voice_caller_id_lookup=True,
    )
    assert (bought.phone_number, bought.friendly_name) == ("+14125550150", "Office")
    assert (bought.voice_url, bought.sms_method) == ("https://example.com/voice", "GET")
    assert bought.voice_caller_id_lookup is True
    assert_is(NUMBER, line.http.get(line.path(f"IncomingPhoneNumbers/{bought.sid}")).json())
    assert line.finished(line.place(from_=bought.phone_number))["phone_number_sid"] == bought.sid
    text = line.twilio.messages.create(to=TO, from_=bought.phone_number, body="Hello")
    assert text.from_ == bought.phone_number
    changed = numbers(bought.sid).update(friendly_name="Hall", voice_url="", sms_application_sid="")
    assert (changed.friendly_name, changed.voice_url, changed.sms_method) == ("Hall", "", "GET")
    assert numbers(bought.sid).delete()
    for lost in (lambda: numbers(bought.sid).fetch(), lambda: line.place(from_="+14125550150")):
        with pytest.raises(TwilioRestException):
            lost()


def test_everything_documented_can_be_set(shared: Line):
    values = {
        "PhoneNumber": "+14125550160",
        "AreaCode": "412",
        "FriendlyName": "All of it",
        "ApiVersion": "2008-08-01",
        "VoiceCallerIdLookup": "true",
        "VoiceReceiveMode": "fax",
        "EmergencyStatus": "Inactive",
        **{f"{name}Url": f"https://example.com/{name}" for name in ("Voice", "Sms")},
        **{f"{name}FallbackUrl": f"https://example.com/f/{name}" for name in ("Voice", "Sms")},
        **{f"{name}Method": "GET" for name in ("Voice", "Sms", "StatusCallback")},
        **{f"{name}FallbackMethod": "GET" for name in ("Voice", "Sms")},
        **{f"{name}ApplicationSid": "AP" + "1" * 32 for name in ("Voice", "Sms")},
        "StatusCallback": "https://example.com/status",
        "TrunkSid": "TK" + "1" * 32,
        "IdentitySid": "RI" + "1" * 32,
        "AddressSid": "AD" + "1" * 32,
        "EmergencyAddressSid": "AD" + "2" * 32,
        "BundleSid": "BU" + "1" * 32,
    }
    assert values.keys() == documented_parameters(LIST)
    bought = shared.http.post(shared.path("IncomingPhoneNumbers"), data=values).json()
    assert_is(NUMBER, bought)
    expected = {snake_case(name): value for name, value in values.items() if name != "AreaCode"}
    assert bought | expected | {"voice_caller_id_lookup": True} == bought
    shared.http.delete(bought["uri"])


def test_a_number_is_found_in_an_area(line: Line):
    numbers = line.twilio.incoming_phone_numbers
    first, second = (numbers.create(area_code="415").phone_number for _ in range(2))
    assert first != second
    assert first.startswith("+1415")
    assert numbers.create(area_code="500").phone_number == "+15005550006"


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"PhoneNumber": "+15005550000"}, 21422),
        ({"PhoneNumber": "+15005550001"}, 21421),
        ({"PhoneNumber": SIMULATOR_FROM_NUMBER}, 21422),
        ({"PhoneNumber": "12"}, 21421),
        ({}, 21421),
        ({"AreaCode": "533"}, 21452),
        ({"AreaCode": "4١2"}, 21451),
        ({"AreaCode": "415", "VoiceUrl": "nowhere"}, 21402),
        ({"AreaCode": "415", "SmsMethod": "PUT"}, 21403),
        ({"AreaCode": "415", "TrunkSid": "TK1"}, 20001),
        ({"AreaCode": "415", "EmergencyStatus": "Perhaps"}, 20001),
        ({"AreaCode": "415", "FriendlyName": "a" * 65}, 20001),
    ],
)
def test_what_cannot_be_bought(shared: Line, wanted: dict[str, str], code: int):
    answer = shared.http.post(shared.path("IncomingPhoneNumbers"), data=wanted)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert len(shared.twilio.incoming_phone_numbers.list()) == 1


def test_filters(line: Line):
    numbers = line.twilio.incoming_phone_numbers
    numbers.create(phone_number="+14125550150", friendly_name="Office")
    numbers.create(phone_number="+14155550151", friendly_name="Hall")

    def found(**filters) -> list[str]:
        return [number.friendly_name for number in numbers.list(**filters)]

    assert found(page_size=1) == ["Hall", "Office", "(724) 867-5309"]
    assert found(phone_number="+14125550150") == ["Office"]
    assert found(phone_number="41*555") == ["Hall", "Office"]
    assert found(phone_number="999") == []
    assert found(friendly_name="Hall") == ["Hall"]
    assert found(origin="hosted") == []
    assert len(found(beta=False, origin="twilio")) == 3


def test_unknown_numbers(shared: Line):
    path = shared.path("IncomingPhoneNumbers/PN" + "0" * 32)
    for method in ("GET", "POST", "DELETE"):
        assert shared.http.request(method, path).json()["code"] == 20404
