"""Calls to an extension: dialed once the call is answered, and never part of the number."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from alerts.tables import alerts, submissions
from tests.support.desks import ANYBODY, CALL, followed, posts, simulated_desk
from tests.support.direct_sql import column


@pytest.mark.parametrize(
    ("to", "digits"), [("(412) 555-0199 x123", "wwww123"), (f"{ANYBODY},,5#", "wwwwwwww5#")]
)
async def test_twilio_is_told_to_dial_it(tmp_path, to, digits):
    async with simulated_desk(tmp_path) as desk:
        alert = await followed(desk, replace(CALL, to=to))
        [form] = posts(desk)
        url = desk.services.database_url
        kept = [
            *await column(url, sa.select(alerts.c.to_number)),
            *await column(url, sa.select(submissions.c.to_number)),
        ]
    assert alert.status == "completed"
    assert (form["To"], form["SendDigits"]) == (ANYBODY, digits)
    # Limits and lookups go by the number: its one line is busy, whatever the extension.
    assert set(kept) == {alert.to} == {ANYBODY}
    assert alert.as_json()["to"] == ANYBODY


async def test_the_next_person_has_another_one(tmp_path):
    busy = "+14125550101"
    asked = replace(CALL, to=f"{busy} x1", then_to=(f"{busy} x2", ANYBODY))
    async with simulated_desk(tmp_path) as desk:
        alert = await followed(desk, asked)
        dialed = [(form["To"], form.get("SendDigits")) for form in posts(desk)]
    assert (alert.status, alert.try_number) == ("completed", 3)
    assert dialed == [(busy, "wwww1"), (busy, "wwww2"), (ANYBODY, None)]
