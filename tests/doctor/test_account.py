"""The account: accepted or not, on trial, its money, and what Twilio can't be asked."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from alerts import Desk
from doctor import Line
from doctor import account as account_checks
from doctor.account import AccountChecks
from simulator.faults import Fault
from simulator.models.account import Account, CallerId
from tests.support.desks import simulated_desk, twilio_client
from tests.support.doctor_lines import lines_of, settings_with, verdicts
from tests.support.environment import KEY_SID
from tests.support.servers import free_port, serve


def at_twilio(desk: Desk) -> Account:
    assert desk.services.simulator is not None
    found: Account = desk.services.simulator.exchange.accounts.get(desk.services.twilio.account_sid)
    return found


async def asked(desk: Desk, name: str, values: dict[str, str] | None = None) -> list[Line]:
    return await lines_of(AccountChecks(settings_with(values), desk.services), name)


@pytest.mark.parametrize("status", ["active", "suspended", "closed"])
async def test_its_status(tmp_path, status):
    async with simulated_desk(tmp_path) as desk:
        at_twilio(desk).status = status
        [line] = await asked(desk, "account")
        balance = await asked(desk, "balance")
    if status == "active":
        assert line == Line("fine", "The account Simulated account is active.")
        assert verdicts(balance) == ["fine"]
    else:
        assert line.verdict == "broken"
        assert line.words.endswith(f"the account Simulated account is {status}.")
        # What follows from that isn't said once more.
        assert balance == []


async def test_credentials_that_are_refused(tmp_path):
    async with simulated_desk(tmp_path) as desk:
        assert desk.services.simulator is not None
        wrong = type(desk.services.twilio)(
            desk.services.twilio.account_sid,
            "another-token",
            base_url="http://simulator.localhost",
            transport=httpx.ASGITransport(app=desk.services.simulator),
        )
        services = replace(desk.services, twilio=wrong)
        checks = AccountChecks(settings_with(), services)
        [line] = await lines_of(checks, "account")
        assert not await checks.is_in()
    assert (line.verdict, line.words) == (
        "broken",
        "Nobody can be called or texted: Twilio refuses the credentials.",
    )
    assert "20003" in line.seen
    assert line.fixes[-1].text == "TWILIO_ACCOUNT_SID=AC…\nTWILIO_AUTH_TOKEN=…"


async def services_at(folder, url: str):
    async with simulated_desk(folder) as desk:
        return replace(desk.services, twilio=twilio_client(url), simulator=None)


async def test_twilio_out_of_reach(tmp_path):
    async with Desk(await services_at(tmp_path, f"http://127.0.0.1:{free_port()}")) as desk:
        [line] = await asked(desk, "account")
    assert line.verdict == "broken"
    assert "could not be reached" in line.seen


async def test_twilio_that_hangs(tmp_path, monkeypatch):
    monkeypatch.setattr(account_checks, "ANSWER_SECONDS", 0.05)
    async with simulated_desk(tmp_path) as desk:
        assert desk.services.simulator is not None
        desk.services.simulator.app.state.faults.add(Fault(kind="slow", seconds=600))
        [line] = await asked(desk, "account")
    assert line.verdict == "broken"
    assert "no answer within 0.05 s" in line.seen


@pytest.mark.parametrize("may_list", [True, False])
async def test_a_key_that_may_not_read_the_account(tmp_path, may_list):
    async def refuse(_: Request) -> Response:
        return JSONResponse({"code": 20003, "message": "Authenticate"}, 401)

    async def calls(_: Request) -> Response:
        return JSONResponse({"calls": [], "next_page_uri": None})

    account = "/2010-04-01/Accounts/{sid}"
    routes = [Route(f"{account}/Calls.json", calls if may_list else refuse)]
    routes += [Route(f"{account}.json", refuse), Route(f"{account}/Balance.json", refuse)]
    key = {"TWILIO_API_KEY_SID": KEY_SID, "TWILIO_API_KEY_SECRET": "hush-hush"}
    with serve(Starlette(routes=routes)) as url:
        async with Desk(await services_at(tmp_path, url)) as desk:
            [line] = await asked(desk, "account", key)
            balance = await asked(desk, "balance", key)
    assert line.verdict == ("fine" if may_list else "broken")
    assert (KEY_SID in line.words) == may_list
    assert verdicts(balance) == (["unknown"] if may_list else [])


@pytest.mark.parametrize("verified", [0, 1, 7])
async def test_on_trial(tmp_path, verified):
    async with simulated_desk(tmp_path) as desk:
        account = at_twilio(desk)
        account.on_trial = True
        for place in range(verified):
            number = f"+1412555013{place}"
            account.add_caller_id(CallerId(account.sid, number, account.date_created))
        active, trial = await asked(desk, "account")
    assert (active.verdict, trial.verdict) == ("fine", "to do")
    assert "only numbers that you verified" in trial.words
    assert ("none" in trial.seen) == (verified == 0)
    assert ("+1 412-555-0130" in trial.seen) == (verified == 1)
    assert ("and more" in trial.seen) == (verified == 7)


@pytest.mark.parametrize(
    ("dollars", "verdict", "words"),
    [
        (100.0, "fine", "100.00 USD are left."),
        (5.0, "fine", "5.00 USD are left."),
        (1.4, "to do", "Only 1.40 USD are left, about 100 minutes of calls."),
        (0.0, "broken", "Nobody can be called or texted: the balance is used up."),
        (-3.0, "broken", "Nobody can be called or texted: the balance is used up."),
    ],
)
async def test_the_balance(tmp_path, dollars, verdict, words):
    async with simulated_desk(tmp_path) as desk:
        at_twilio(desk).opening_balance = dollars
        [line] = await asked(desk, "balance")
    assert (line.verdict, line.words) == (verdict, words)


async def test_countries_cannot_be_asked(tmp_path):
    async with simulated_desk(tmp_path) as desk:
        [line] = await asked(desk, "countries")
    assert (line.verdict, line.words) == (
        "unknown",
        "Whether the account may call the United States can't be found out from here.",
    )


async def test_a_simulation(tmp_path):
    async with simulated_desk(tmp_path) as desk:
        checks = AccountChecks(settings_with(simulated=True), desk.services)
        assert verdicts(await lines_of(checks, "account")) == ["fine"]
        assert await lines_of(checks, "balance") == await lines_of(checks, "countries") == []
