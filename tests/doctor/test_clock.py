"""The clock of this machine, by the Date header of Twilio's answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from doctor.account import AccountChecks, ClockChecks
from tests.support.desks import simulated_desk, twilio_client
from tests.support.doctor_lines import lines_of, settings_with
from tests.support.environment import ACCOUNT_SID
from tests.support.scripted_twilio import Answer, scripted_twilio

S3 = {"S3_BUCKET": "twilio-xml"}


@pytest.mark.parametrize(
    ("ahead", "values", "verdict", "words"),
    [
        (0, {}, "fine", "The clock is right to"),
        (90, {}, "to do", "seconds behind Twilio's."),
        (-40, {}, "to do", "seconds ahead of Twilio's."),
        (3600, {}, "to do", "60 minutes behind Twilio's."),
        (3600, S3, "broken", "Nobody can be called: this machine's clock is 60 minutes behind"),
        (-9000, S3, "broken", "2 hours ahead of Twilio's."),
    ],
)
async def test_against_twilios(tmp_path, ahead, values, verdict, words):
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead), usegmt=True)
    active = Answer(200, {"sid": ACCOUNT_SID, "status": "active"}, headers={"Date": date})
    async with (
        scripted_twilio(looking=[active]) as answering,
        twilio_client(answering.url) as twilio,
        simulated_desk(tmp_path) as desk,
    ):
        services = replace(desk.services, twilio=twilio)
        settings = settings_with(values)
        account = AccountChecks(settings, services)
        [line] = await lines_of(ClockChecks(settings, services, account), "clock")
        simulation = settings_with(simulated=True)
        assert await lines_of(ClockChecks(simulation, services, account), "clock") == []
    assert line.verdict == verdict
    assert words in line.words
