"""Each number in the simulator's directory is called and texted: how the alerts end."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from simulator import PEOPLE
from tests.support.desks import ANYBODY, CALL, TEXT, followed, simulated_desk

CALLS = {
    "Busy": "unanswered",
    "Out": "unanswered",
    "Voicemail": "completed",
    "In a hurry": "completed",
    "No line": "failed",
    "Attentive": "completed",
    "In a meeting": "unanswered",
}
TEXT_ERRORS = {"Switched off": 30003, "Landline": 30006, "Gridlock": 30001, "Unsubscribed": 21610}


async def test_calls(tmp_path):
    async with simulated_desk(tmp_path) as desk:
        requests = [replace(CALL, to=person.number) for person in PEOPLE]
        alerts = await asyncio.gather(*(followed(desk, request) for request in requests))
    ends = {person.name: alert.status for person, alert in zip(PEOPLE, alerts, strict=True)}
    expected = {person.name: CALLS.get(person.name, "completed") for person in PEOPLE}
    assert ends == expected
    assert CALLS.keys() <= expected.keys()
    for alert in alerts:
        assert (alert.error is not None) == (alert.status == "failed")
        assert alert.sid


async def test_texts(tmp_path):
    async with simulated_desk(tmp_path) as desk:
        requests = [replace(TEXT, to=person.number) for person in PEOPLE]
        alerts = await asyncio.gather(*(followed(desk, request) for request in requests))
        assert (await followed(desk, replace(TEXT, to=ANYBODY))).status == "delivered"
    codes = {
        person.name: alert.error and alert.error.code
        for person, alert in zip(PEOPLE, alerts, strict=True)
    }
    assert codes == {person.name: TEXT_ERRORS.get(person.name) for person in PEOPLE}
    for alert in alerts:
        assert alert.status == ("failed" if alert.error else "delivered")
        assert alert.error is None or (alert.error.message and alert.error.hint)
