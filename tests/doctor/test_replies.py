"""Where texts to the number or the messaging service are reported, and setting that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alerts import Desk
from alerts.simulation import SIMULATED_APP_URL
from doctor import Line
from doctor.account import AccountChecks
from doctor.sender import ReplyChecks
from settings import Settings
from tests.doctor.test_account import at_twilio
from tests.support.desks import SERVICE_SID, simulated_desk, twilio_client
from tests.support.doctor_lines import lines_of, settings_with
from tests.support.recording_server import always
from tests.support.servers import serve

HERE = f"{SIMULATED_APP_URL}/twilio/inbound"
OTHER = "https://other.example/sms"


async def asked(desk: Desk, settings: Settings | None = None, **options) -> list[Line]:
    settings = settings or settings_with({"PUBLIC_URL": "https://callboard.example"})
    account = AccountChecks(settings, desk.services)
    return await lines_of(ReplyChecks(settings, desk.services, account, **options), "replies")


@pytest.mark.parametrize(
    ("values", "seen"),
    [
        ({}, "reported nowhere."),
        ({"sms_url": OTHER}, f"reported to {OTHER}."),
        ({"sms_url": HERE}, ""),
        ({"sms_url": HERE, "sms_method": "GET"}, f"reported to {HERE}."),
    ],
)
async def test_where_replies_go(tmp_path, values, seen):
    async with simulated_desk(tmp_path, callbacks=True) as desk:
        [number] = at_twilio(desk).numbers.values()
        number.settings |= values
        [line] = await asked(desk)
        # Only looked at.
        assert number.settings == values
    if not seen:
        assert line.words == "Texts to +1 724-867-5309 are reported here."
    else:
        assert line.verdict == "to do"
        assert seen in line.seen
        assert line.fixes[0].text.endswith("doctor --set-webhook")


async def test_the_webhook_is_set(tmp_path):
    async with simulated_desk(tmp_path, callbacks=True) as desk:
        [number] = at_twilio(desk).numbers.values()
        number.settings |= {"sms_url": OTHER}
        [line] = await asked(desk, set_webhook=True)
        assert number.settings["sms_url"] == HERE
        [again] = await asked(desk, set_webhook=True)
    assert (line.verdict, f"before, to {OTHER}" in line.words) == ("fine", True)
    assert again.words.endswith("are reported here.")


@pytest.mark.parametrize(
    ("simulated", "services", "seen"),
    [
        (True, {}, "No account is set"),
        (False, {"callbacks": None}, "Set PUBLIC_URL first"),
        (False, {"from_number": "+14155550100"}, ""),
    ],
)
async def test_no_webhook_to_set(tmp_path, simulated, services, seen):
    async with simulated_desk(tmp_path, callbacks=True) as desk:
        settings = settings_with(simulated=simulated)
        changed = replace(desk.services, **services)
        account = AccountChecks(settings, changed)
        setting = ReplyChecks(settings, changed, account, set_webhook=True)
        [line] = await lines_of(setting, "replies")
        looking = await lines_of(ReplyChecks(settings, changed, account), "replies")
    assert line.verdict == "broken"
    assert seen in line.seen
    assert [each.verdict for each in looking] == ([] if seen else ["unknown"])


@pytest.mark.parametrize(
    ("service", "seen"),
    [
        ({}, "reported nowhere"),
        ({"inbound_request_url": OTHER, "inbound_method": "POST"}, f"to {OTHER}"),
        ({"inbound_request_url": HERE, "inbound_method": "POST"}, ""),
        (
            {
                "inbound_request_url": HERE,
                "inbound_method": "POST",
                "use_inbound_webhook_on_number": True,
            },
            "where each of its numbers says",
        ),
    ],
)
async def test_a_messaging_service(tmp_path, service, seen):
    recorder = always({"sid": SERVICE_SID, "status": "active", **service})
    with serve(recorder) as url:
        async with simulated_desk(
            tmp_path,
            callbacks=True,
            messaging_service_sid=SERVICE_SID,
            twilio=twilio_client(url),
        ) as desk:
            [line] = await asked(desk)
            assert line.verdict == ("to do" if seen else "fine")
            assert seen in line.seen
            [now] = await asked(desk, set_webhook=True)
            assert ("reported here now" in now.words) == bool(seen)
    posted = [each.form for each in recorder.requests if each.path == f"/v1/Services/{SERVICE_SID}"]
    changes = [each for each in posted if each]
    assert len(changes) == int(bool(seen))
    assert all(("InboundRequestUrl", HERE) in each for each in changes)
