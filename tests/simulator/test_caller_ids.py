"""Caller IDs that the account verifies, judged by Twilio's own package and schemas."""

from __future__ import annotations

import pytest
from twilio.base.exceptions import TwilioRestException

from simulator import SIMULATOR_FROM_NUMBER
from tests.support.document_server import document_server
from tests.support.simulator_line import TO, Line, said
from tests.support.twilio_schemas import assert_is, assert_is_list

LIST = "/2010-04-01/Accounts/{AccountSid}/OutgoingCallerIds.json"


def verify(line: Line, number: str = TO, **options) -> None:
    request = line.twilio.validation_requests.create(phone_number=number, **options)
    heard = line.heard(request.call_sid)
    if heard["status"] == "completed":
        assert " ".join(request.validation_code) in said(heard)[0]


def test_a_number_is_verified_by_a_call(line: Line):
    with pytest.raises(TwilioRestException) as refusal:
        line.place("+14125550101", from_=TO)
    assert refusal.value.code == 21210
    verify(line, friendly_name="Reception")
    (caller_id,) = line.twilio.outgoing_caller_ids.list()
    assert (caller_id.phone_number, caller_id.friendly_name) == (TO, "Reception")
    sid = line.place("+14125550101", from_=TO)
    assert line.finished(sid)["phone_number_sid"] == caller_id.sid
    with pytest.raises(TwilioRestException) as refusal:
        line.twilio.messages.create(to="+14125550101", from_=TO, body="Only for calls")
    assert refusal.value.code == 21606


def test_the_callback_is_told_how_it_ended(line: Line):
    with document_server() as documents:
        told = documents.put("/told", "")
        verify(line, status_callback=told)
        (asked,) = documents.wait_for("/told", 1)
        (caller_id,) = line.twilio.outgoing_caller_ids.list()
        expected = {"VerificationStatus": "success", "OutgoingCallerIdSid": caller_id.sid}
        assert expected.items() <= dict(asked.form).items()
        verify(line, "+14125550101", status_callback=told)
        failed = dict(documents.wait_for("/told", 2)[1].form)
    assert (failed["VerificationStatus"], failed["CallStatus"]) == ("failed", "busy")
    assert "OutgoingCallerIdSid" not in failed


def test_it_is_fetched_renamed_and_forgotten(line: Line):
    verify(line)
    (caller_id,) = line.twilio.outgoing_caller_ids.list()
    one = line.twilio.outgoing_caller_ids(caller_id.sid)
    assert one.fetch().friendly_name == "(412) 555-0199"
    assert one.update(friendly_name="Desk").friendly_name == "Desk"
    path = line.path(f"OutgoingCallerIds/{caller_id.sid}")
    assert_is("api.v2010.account.outgoing_caller_id", line.http.get(path).json())
    page = line.http.get(line.path("OutgoingCallerIds")).json()
    assert_is_list(LIST, page)
    assert line.twilio.outgoing_caller_ids.list(phone_number=TO, friendly_name="Desk")
    assert line.twilio.outgoing_caller_ids.list(phone_number="+14125550101") == []
    assert line.twilio.outgoing_caller_ids.list(friendly_name="Door") == []
    assert one.delete()
    for method in ("GET", "POST", "DELETE"):
        assert line.http.request(method, path).json()["code"] == 20404


@pytest.mark.parametrize("number", ["+14125550101", "+14125550103", "+14125550104", "+14125550105"])
def test_who_does_not_hear_the_code_is_not_verified(shared: Line, number: str):
    verify(shared, number)
    assert shared.twilio.outgoing_caller_ids.list() == []


def test_the_answer_is_as_documented(line: Line):
    answer = line.http.post(line.path("OutgoingCallerIds"), data={"PhoneNumber": TO})
    assert answer.status_code == 200
    assert_is("api.v2010.account.validation_request", answer.json())


@pytest.mark.parametrize(
    ("number", "code"),
    [("", 21401), ("12", 21401), (SIMULATOR_FROM_NUMBER, 21450), ("+15005550001", 21217)],
)
def test_what_cannot_be_verified(shared: Line, number: str, code: int):
    answer = shared.http.post(shared.path("OutgoingCallerIds"), data={"PhoneNumber": number})
    assert (answer.status_code, answer.json()["code"]) == (400, code)
