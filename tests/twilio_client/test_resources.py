"""Calls, texts and accounts, as Python values read from Twilio's own examples."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.support.recording_server import (
    ACCOUNT_PATH,
    ACCOUNT_SID,
    CALL_SID,
    MESSAGE_SID,
    TOKEN,
    always,
)
from tests.support.servers import serve
from tests.support.twilio_openapi import example, schema
from twilio_client import (
    Account,
    Balance,
    Call,
    IncomingPhoneNumber,
    Message,
    OutgoingCallerId,
    TwilioClient,
    TwilioUncertain,
)


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        (Call, "api.v2010.account.call"),
        (Message, "api.v2010.account.message"),
        (Account, "api.v2010.account"),
        (IncomingPhoneNumber, "api.v2010.account.incoming_phone_number"),
        (OutgoingCallerId, "api.v2010.account.outgoing_caller_id"),
        (Balance, "api.v2010.account.balance"),
    ],
)
def test_twilio_describes_every_field(resource, name):
    described = schema(name)["properties"]
    ours = {field.name.removesuffix("_") for field in fields(resource)}
    assert ours <= set(described)
    for moment in ours & {"date_created", "start_time", "date_sent"}:
        assert described[moment]["format"] == "date-time-rfc-2822"


async def test_a_call():
    payload = example("GET", f"{ACCOUNT_PATH}/Calls/{CALL_SID}.json", "fetch")
    with serve(always(payload)) as address:
        async with TwilioClient(ACCOUNT_SID, TOKEN, base_url=address) as client:
            call = await client.fetch_call(CALL_SID)
    assert call == Call(
        sid="CAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        to="+13051913581",
        from_="+13051416799",
        status="completed",
        direction="outbound-api",
        answered_by="machine_start",
        duration=4,
        start_time=datetime(2019, 10, 18, 17, 2, tzinfo=UTC),
        end_time=datetime(2019, 10, 18, 17, 3, tzinfo=UTC),
        date_created=datetime(2019, 10, 18, 17, 0, tzinfo=UTC),
        date_updated=datetime(2019, 10, 18, 17, 1, tzinfo=UTC),
        price=Decimal("-0.200"),
        price_unit="USD",
    )


async def test_a_text():
    payload = example("GET", f"{ACCOUNT_PATH}/Messages/{MESSAGE_SID}.json", "fetch")
    payload |= {"error_code": 30007, "error_message": "Carrier violation", "price": "-0.0075"}
    with serve(always(payload)) as address:
        async with TwilioClient(ACCOUNT_SID, TOKEN, base_url=address) as client:
            message = await client.fetch_message(MESSAGE_SID)
    assert message.body == payload["body"]
    assert message.from_ == payload["from"]
    assert message.error_code == 30007
    assert message.num_segments == int(payload["num_segments"])
    assert message.price == Decimal("-0.0075")
    assert message.date_sent == datetime(2019, 5, 24, 17, 18, 28, tzinfo=UTC)


async def test_an_account_without_its_token():
    payload = example("GET", f"{ACCOUNT_PATH}.json", "fetch") | {"auth_token": TOKEN}
    with serve(always(payload)) as address:
        async with TwilioClient(ACCOUNT_SID, TOKEN, base_url=address) as client:
            account = await client.fetch_account()
    assert account.friendly_name == "friendly_name"
    assert (account.status, account.type) == ("active", "Full")
    assert TOKEN not in repr(account)


def test_missing_and_unknown_fields_are_no_trouble():
    call = Call.from_json({"sid": CALL_SID, "invented_later": {"a": 1}})
    assert call.sid == CALL_SID
    assert {getattr(call, field.name) for field in fields(call)} == {CALL_SID, None}


@pytest.mark.parametrize("odd", ["", "soon", "NaN", [], {}, True, "Fri, 99 Oct 2019 17:00:00"])
def test_an_odd_value_does_not_hide_that_the_call_was_placed(odd):
    names = ["duration", "price", "start_time", "date_created"]
    call = Call.from_json({"sid": CALL_SID, **dict.fromkeys(names, odd)})
    assert [getattr(call, name) for name in names] == [None] * 4


@pytest.mark.parametrize("payload", [{}, {"sid": None}, {"sid": ""}, {"sid": 7}])
async def test_a_call_without_a_sid_is_uncertain(payload):
    with serve(always(payload, status=201)) as address:
        async with TwilioClient(ACCOUNT_SID, TOKEN, base_url=address) as client:
            with pytest.raises(TwilioUncertain, match="could not be read"):
                await client.create_call(to="+15558675310", from_="+15017122661", url="https://a.b")
