"""The balance, the account's own numbers and verified ones, asked of the simulator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import httpx
import pytest

from simulator import SIMULATOR_ACCOUNT_SID, SIMULATOR_AUTH_TOKEN, SIMULATOR_FROM_NUMBER
from simulator.app import create_app
from simulator.models.account import Account, CallerId
from tests.support.desks import twilio_client
from twilio_client import TwilioClient

VERIFIED = "+14125550190"


@pytest.fixture
async def asked() -> AsyncIterator[tuple[TwilioClient, Account]]:
    app = create_app(account_sid=SIMULATOR_ACCOUNT_SID, auth_token=SIMULATOR_AUTH_TOKEN)
    transport = httpx.ASGITransport(app=app)
    async with twilio_client("http://simulator.localhost", transport=transport) as client:
        yield client, app.state.exchange.accounts.get(SIMULATOR_ACCOUNT_SID)


async def test_the_balance(asked):
    client, account = asked
    account.opening_balance = 12.3456
    found = await client.fetch_balance()
    assert (found.balance, found.currency) == (Decimal("12.3456"), "USD")


async def test_own_numbers_and_what_they_can_do(asked):
    client, account = asked
    [owned] = account.numbers.values()
    owned.capabilities["sms"] = False
    [found] = [each async for each in client.list_numbers()]
    assert found.phone_number == SIMULATOR_FROM_NUMBER
    assert (found.capabilities.voice, found.capabilities.sms) == (True, False)


async def test_verified_numbers(asked):
    client, account = asked
    assert [each async for each in client.list_caller_ids()] == []
    for number in (VERIFIED, "+14125550191"):
        account.add_caller_id(CallerId(account.sid, number, account.date_created))
    found = [each async for each in client.list_caller_ids(VERIFIED)]
    assert [each.phone_number for each in found] == [VERIFIED]
    assert len([each async for each in client.list_caller_ids()]) == 2
    with pytest.raises(ValueError, match="limit"):
        client.list_caller_ids(limit=0)
