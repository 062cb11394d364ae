"""What Twilio charged is saved once it is known, with few requests."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from alerts import cost
from alerts.cost import Prices
from alerts.desk import Desk
from alerts.tables import submissions
from tests.support.desks import CALL, TEXT, followed, simulated_desk
from tests.support.direct_sql import execute

BUSY = "+14125550101"


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(cost, "FIRST_INTERVAL", timedelta())


async def charged(desk: Desk) -> dict[str, tuple[float | None, str | None]]:
    """The price of each submission, by the number."""
    columns = submissions.c.to_number, submissions.c.price, submissions.c.price_unit
    rows = await execute(desk.services.database_url, sa.select(*columns))
    return {row["to_number"]: (row["price"], row["price_unit"]) for row in rows}


def looks(desk: Desk) -> list[str]:
    """The lists that were read."""
    assert desk.services.simulator is not None
    entries = desk.services.simulator.app.state.request_log.entries
    lists = ("/Calls.json", "/Messages.json")
    return [e.path for e in entries if e.method == "GET" and e.path.endswith(lists)]


async def test_calls_and_texts(tmp_path):
    people = [f"+1412555{n}" for n in range(2000, 2004)]
    async with simulated_desk(tmp_path) as desk:
        text = replace(TEXT, to="+14125553000", message="x" * 200)
        await asyncio.gather(
            followed(desk, text),
            followed(desk, replace(CALL, to=BUSY)),
            *(followed(desk, replace(CALL, to=to)) for to in people),
        )
        before = len(looks(desk))
        reader = Prices(desk.services, await desk.history())
        await reader.look()
        assert len(looks(desk)) == before + 2
        found = await charged(desk)
        assert found == {
            "+14125553000": (pytest.approx(0.0166), "USD"),
            BUSY: (0, "USD"),
            **dict.fromkeys(people, (pytest.approx(0.014), "USD")),
        }
        await reader.look()
        assert len(looks(desk)) == before + 2


async def test_a_call_under_way_has_no_price_yet(tmp_path):
    async with simulated_desk(tmp_path, speed=0) as desk:
        await desk.send(CALL)
        reader = Prices(desk.services, await desk.history())
        await reader.look()
        assert await charged(desk) == {CALL.to: (None, None)}


async def test_what_is_old_is_not_looked_for(tmp_path, monkeypatch):
    async with simulated_desk(tmp_path) as desk:
        await followed(desk, TEXT)
        before = len(looks(desk))
        monkeypatch.setattr(cost, "GIVE_UP_AFTER", timedelta(days=-1))
        await Prices(desk.services, await desk.history()).look()
        assert len(looks(desk)) == before
