"""The From number, what it may do, and what US carriers want of those who text."""

from __future__ import annotations

from dataclasses import replace

import pytest
from starlette.responses import JSONResponse

from alerts import Desk
from alerts.phone_numbers import Regions
from doctor import Line
from doctor.account import AccountChecks
from doctor.sender import SenderChecks
from simulator import SIMULATOR_FROM_NUMBER
from simulator.models.account import CallerId, PhoneNumber
from tests.doctor.test_account import at_twilio
from tests.support.desks import SERVICE_SID, simulated_desk, twilio_client
from tests.support.doctor_lines import lines_of, settings_with, verdicts
from tests.support.recording_server import always
from tests.support.servers import serve

OTHER = "+14125550190"


async def asked(desk: Desk, name: str = "sender", **services) -> list[Line]:
    changed, settings = replace(desk.services, **services), settings_with()
    return await lines_of(SenderChecks(settings, changed, AccountChecks(settings, changed)), name)


async def test_an_own_number(tmp_path):
    async with simulated_desk(tmp_path) as desk:
        [line] = await asked(desk)
        [with_service] = await asked(desk, messaging_service_sid=SERVICE_SID)
    words = "come from +1 724-867-5309, which is the account's own."
    assert line == Line("fine", f"Calls and texts {words}")
    assert with_service == Line("fine", f"Calls {words}")


@pytest.mark.parametrize(
    ("lacks", "service", "verdict", "words"),
    [
        ("voice", None, ["broken"], "takes no calls"),
        ("sms", None, ["fine", "to do"], "can call, but not text"),
        ("sms", SERVICE_SID, ["fine"], "which is the account's own"),
    ],
)
async def test_a_number_that_cannot_do_all(tmp_path, lacks, service, verdict, words):
    async with simulated_desk(tmp_path) as desk:
        [number] = at_twilio(desk).numbers.values()
        number.capabilities[lacks] = False
        lines = await asked(desk, messaging_service_sid=service)
    assert verdicts(lines) == verdict
    assert words in lines[-1].words


@pytest.mark.parametrize("service", [None, SERVICE_SID])
async def test_a_verified_number(tmp_path, service):
    async with simulated_desk(tmp_path) as desk:
        account = at_twilio(desk)
        account.add_caller_id(CallerId(account.sid, OTHER, account.date_created))
        lines = await asked(desk, from_number=OTHER, messaging_service_sid=service)
    assert verdicts(lines) == (["fine"] if service else ["fine", "to do"])
    assert "which is verified" in lines[0].words


@pytest.mark.parametrize("owned", ["another", "one without calls", "none"])
async def test_another_accounts_number(tmp_path, owned):
    async with simulated_desk(tmp_path) as desk:
        account = at_twilio(desk)
        if owned == "none":
            account.numbers.clear()
        if owned == "one without calls":
            texts = PhoneNumber(account.sid, "+14125550191", account.date_created)
            texts.capabilities["voice"] = False
            account.add_number(texts)
        [line] = await asked(desk, from_number=OTHER)
    assert line.verdict == "broken"
    assert "neither the account's own nor verified" in line.words
    expected = (
        "https://console" if owned == "none" else f"TWILIO_FROM_NUMBER={SIMULATOR_FROM_NUMBER}"
    )
    assert line.fixes[0].text.startswith(expected)


@pytest.mark.parametrize(
    ("number", "regions", "verdict", "words"),
    [
        (OTHER, ("US",), ["to do"], "without a registered campaign"),
        (OTHER, ("GB",), [], ""),
        ("+18005550190", ("US",), ["unknown"], "toll-free"),
        ("+442079460000", ("US", "GB"), [], ""),
    ],
)
async def test_texts_to_the_united_states(tmp_path, number, regions, verdict, words):
    async with simulated_desk(tmp_path) as desk:
        account = at_twilio(desk)
        account.add_number(PhoneNumber(account.sid, number, account.date_created))
        lines = await asked(desk, "texts", from_number=number, regions=Regions("US", regions))
    assert verdicts(lines) == verdict
    assert words in "".join(line.words for line in lines)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (JSONResponse({"sid": SERVICE_SID, "us_app_to_person_registered": True}), "fine"),
        (JSONResponse({"sid": SERVICE_SID, "us_app_to_person_registered": False}), "to do"),
        (JSONResponse({"sid": SERVICE_SID}), "unknown"),
        (JSONResponse({"code": 20404, "message": "Not found"}, 404), "broken"),
        (JSONResponse({"code": 20003, "message": "Authenticate"}, 401), "unknown"),
        (JSONResponse({}, 500), "unknown"),
    ],
)
async def test_a_messaging_service(tmp_path, answer, verdict):
    class Accepted(AccountChecks):
        async def is_in(self) -> bool:
            return True

    with serve(answer) as url:
        async with simulated_desk(tmp_path) as desk, twilio_client(url) as twilio:
            services = replace(desk.services, twilio=twilio, messaging_service_sid=SERVICE_SID)
            settings = settings_with()
            checks = SenderChecks(settings, services, Accepted(settings, services))
            [line] = await lines_of(checks, "texts")
    assert line.verdict == verdict
    assert SERVICE_SID in line.words + line.seen


async def test_lists_that_twilio_refuses(tmp_path):
    class Accepted(AccountChecks):
        async def is_in(self) -> bool:
            return True

    with serve(always({"code": 20003, "message": "Authenticate"}, 401)) as url:
        async with simulated_desk(tmp_path) as desk, twilio_client(url) as twilio:
            services = replace(desk.services, twilio=twilio)
            settings = settings_with()
            checks = SenderChecks(settings, services, Accepted(settings, services))
            assert verdicts(await lines_of(checks, "sender")) == ["unknown"]
            assert await lines_of(checks, "texts") == []
