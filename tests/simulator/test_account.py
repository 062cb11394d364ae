"""The account and its balance, judged by Twilio's own package and Twilio's own schemas."""

from __future__ import annotations

import pytest
from twilio.base.exceptions import TwilioRestException

from simulator import SIMULATOR_ACCOUNT_SID, SIMULATOR_AUTH_TOKEN, SIMULATOR_FROM_NUMBER
from tests.support.simulator_line import TO, Line, simulator_line
from tests.support.twilio_schemas import assert_is

KEY, SECRET = "SK" + "c" * 32, "a secret of the key"


def test_the_account_is_renamed(line: Line):
    account = line.twilio.api.v2010.accounts(SIMULATOR_ACCOUNT_SID)
    assert account.update(friendly_name="Shop").friendly_name == "Shop"
    assert account.fetch().friendly_name == "Shop"


def test_a_suspended_account_places_nothing(line: Line):
    account = line.twilio.api.v2010.accounts(SIMULATOR_ACCOUNT_SID)
    assert account.update(status="suspended").status == "suspended"
    for place in (
        line.place,
        lambda: line.twilio.messages.create(to=TO, from_=SIMULATOR_FROM_NUMBER, body="Hello"),
        lambda: line.twilio.incoming_phone_numbers.create(area_code="412"),
        lambda: line.twilio.validation_requests.create(phone_number=TO),
    ):
        with pytest.raises(TwilioRestException) as refusal:
            place()
        assert (refusal.value.status, refusal.value.code) == (403, 20005)
    account.update(status="active")
    line.place()
    account.update(status="closed")
    with pytest.raises(TwilioRestException):
        account.update(status="active")


def test_an_unknown_status(shared: Line):
    path = f"/2010-04-01/Accounts/{SIMULATOR_ACCOUNT_SID}.json"
    assert shared.http.post(path, data={"Status": "asleep"}).json()["code"] == 20001


def test_the_list_of_accounts_holds_ones_own(shared: Line):
    accounts = shared.twilio.api.v2010.accounts
    (own,) = accounts.list()
    assert own.sid == SIMULATOR_ACCOUNT_SID
    assert accounts.list(status="closed") == []
    assert len(accounts.list(friendly_name="Simulated account", status="active")) == 1


def test_the_balance_shrinks_with_what_is_used(shared: Line):
    before = shared.twilio.balance.fetch()
    assert (before.currency, before.account_sid) == ("USD", SIMULATOR_ACCOUNT_SID)
    price = float(shared.finished(shared.place())["price"])
    after = shared.twilio.balance.fetch()
    assert float(before.balance) + price == pytest.approx(float(after.balance))
    assert price < 0
    assert_is("api.v2010.account.balance", shared.http.get(shared.path("Balance")).json())


def test_an_api_key_opens_the_account_that_it_belongs_to():
    options = {"account_sid": SIMULATOR_ACCOUNT_SID, "auth_token": SIMULATOR_AUTH_TOKEN}
    with simulator_line(**options, api_key_sid=KEY, api_key_secret=SECRET) as line:
        path = line.path("Calls")
        assert line.http.get(path, auth=(KEY, SECRET)).status_code == 200
        assert line.http.get("/simulator/log", auth=(KEY, SECRET)).status_code == 200
        for wrong in [(KEY, "guess"), (KEY, SIMULATOR_AUTH_TOKEN), (KEY, ""), ("", SECRET)]:
            assert line.http.get(path, auth=wrong).status_code == 401
        with_key = type(line.twilio)(
            KEY, SECRET, SIMULATOR_ACCOUNT_SID, http_client=line.twilio.http_client
        )
        placed = with_key.calls.create(to=TO, from_=SIMULATOR_FROM_NUMBER, twiml="<Response/>")
        assert placed.account_sid == SIMULATOR_ACCOUNT_SID
        assert [own.sid for own in with_key.api.v2010.accounts.list()] == [SIMULATOR_ACCOUNT_SID]
        log = line.http.get("/simulator/log")
        asked = [entry for entry in log.json() if entry["direction"] == "in"]
        assert (asked[-1]["account"], asked[-1]["user"]) == (None, KEY)
        assert SECRET not in log.text


def test_finished_calls_and_texts_are_deleted(line: Line):
    slow = line.place(twiml="<Response><Pause length='600'/></Response>")
    with pytest.raises(TwilioRestException) as refusal:
        line.twilio.calls(slow).delete()
    assert (refusal.value.status, refusal.value.code) == (409, 20009)
    line.twilio.calls(slow).update(status="completed")
    line.finished(slow)
    assert line.twilio.calls(slow).delete()
    text = line.twilio.messages.create(to=TO, from_=SIMULATOR_FROM_NUMBER, body="Hello").sid
    line.wait_for(f"Messages/{text}", lambda message: message["status"] == "delivered")
    assert line.twilio.messages(text).delete()
    assert line.http.get(line.path(f"Calls/{slow}")).json()["code"] == 20404
    assert line.http.delete(line.path(f"Messages/{text}")).json()["code"] == 20404
    assert line.twilio.calls.list() == line.twilio.messages.list() == []


def test_on_trial_only_verified_numbers_are_reached():
    with simulator_line(on_trial=True, opening_balance=15.5) as line:
        account = line.twilio.api.v2010.accounts(SIMULATOR_ACCOUNT_SID).fetch()
        assert account.type == "Trial"
        assert line.twilio.balance.fetch().balance == "15.5000"
        with pytest.raises(TwilioRestException) as refusal:
            line.place()
        assert (refusal.value.status, refusal.value.code) == (400, 21219)
        text = {"to": TO, "from_": SIMULATOR_FROM_NUMBER, "body": "Hello"}
        with pytest.raises(TwilioRestException) as refusal:
            line.twilio.messages.create(**text)
        assert (refusal.value.status, refusal.value.code) == (400, 21608)
        line.finished(line.twilio.validation_requests.create(phone_number=TO).call_sid)
        assert line.finished(line.place())["status"] == "completed"
        sent = line.twilio.messages.create(**text)
        assert sent.body == "Sent from your Twilio trial account - Hello"
    with simulator_line() as line:
        account = line.twilio.api.v2010.accounts(SIMULATOR_ACCOUNT_SID).fetch()
        assert account.type == "Full"
