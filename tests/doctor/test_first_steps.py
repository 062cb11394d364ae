"""From nothing to a real call: each step is ticked once it is done."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from alerts import Desk
from doctor import Line
from doctor.first_steps import FirstSteps
from settings import Settings, SettingsError
from simulator import SIMULATOR_FROM_NUMBER
from simulator.app import create_app
from tests.support.desks import CALL, TEXT, followed, simulated_desk
from tests.support.doctor_lines import lines_of, settings_with, verdicts
from tests.support.environment import ACCOUNT_SID, TOKEN
from tests.support.servers import serve


@pytest.fixture(scope="module")
def twilio() -> Iterator[str]:
    with serve(create_app(account_sid=ACCOUNT_SID, auth_token=TOKEN)) as url:
        yield url


async def asked(desk: Desk, settings: Settings, written: Settings | None = None) -> list[Line]:
    steps = FirstSteps(settings, desk, read_again=lambda: written or settings)
    return await lines_of(steps, "first-steps")


SIMULATION = settings_with(simulated=True)


async def test_nothing_is_done_yet(tmp_path):
    async with simulated_desk(tmp_path) as desk:
        lines = await asked(desk, SIMULATION)
    assert verdicts(lines) == ["to do"] * 5
    assert lines[3].fixes[0].text == (
        "TWILIO_ACCOUNT_SID=AC…\nTWILIO_AUTH_TOKEN=…\nTWILIO_FROM_NUMBER=+1…"
    )


async def test_a_simulated_call_was_heard(tmp_path):
    async with simulated_desk(tmp_path) as desk:
        await followed(desk, CALL)
        lines = await asked(desk, SIMULATION)
    assert verdicts(lines) == ["fine", *["to do"] * 4]


@pytest.mark.parametrize("settings", [SIMULATION, settings_with()])
async def test_a_text_is_no_call_that_was_heard(tmp_path, settings):
    async with simulated_desk(tmp_path) as desk:
        before = await asked(desk, settings)
        text = await followed(desk, TEXT)
        assert text.status == "delivered"
        assert await asked(desk, settings) == before


@pytest.mark.parametrize(
    ("values", "expected", "words"),
    [
        ({"TWILIO_FROM_NUMBER": SIMULATOR_FROM_NUMBER}, ["fine", "fine", "fine"], "can come from"),
        ({}, ["fine", "broken", "fine"], "neither the account's own number nor verified"),
        (
            {"TWILIO_AUTH_TOKEN": "wrong-token"},
            ["broken", "fine"],
            "doesn't accept the account in .env",
        ),
    ],
)
async def test_what_is_written_is_tried(tmp_path, twilio, values, expected, words):
    written = settings_with({"TWILIO_BASE_URL": twilio, **values})
    async with simulated_desk(tmp_path) as desk:
        lines = await asked(desk, SIMULATION, written)
    assert verdicts(lines) == ["to do", *expected, "to do"]
    assert words in " ".join(each.words for each in lines)
    assert lines[-1].words == "Start Callboard again."
    assert TOKEN not in repr(lines)
    assert "wrong-token" not in repr(lines)


async def test_settings_that_cannot_be_read(tmp_path):
    def broken() -> Settings:
        raise SettingsError("TWILIO_FROM_NUMBER must be a number in E.164 form.")

    async with simulated_desk(tmp_path) as desk:
        lines = await lines_of(FirstSteps(SIMULATION, desk, read_again=broken), "first-steps")
    assert lines[-1].verdict == "broken"
    assert lines[-1].seen.startswith("TWILIO_FROM_NUMBER")


@pytest.mark.parametrize("public_url", [None, "https://calls.example.com"])
async def test_with_an_account_until_a_person_was_reached(tmp_path, public_url):
    settings = settings_with({"PUBLIC_URL": public_url} if public_url else {})
    async with simulated_desk(tmp_path) as desk:
        before = await asked(desk, settings)
        await followed(desk, CALL)
        after = await asked(desk, settings)
    assert verdicts(before) == ["fine", "to do"]
    # Without it the press of a key can't arrive.
    assert ("press 1" in before[1].seen) == bool(public_url)
    assert after == []
