"""Alerts that ended long ago are deleted, with all that belongs to them, and no others."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from alerts import Desk, records, worker
from alerts.tables import alerts, broadcasts, events, submissions
from tests.support.desks import TEXT, simulated_desk, until_over
from tests.support.direct_sql import column, execute

DAY_SECONDS = 24 * 3600


async def make_older(desk: Desk, alert_id: str, days: float) -> None:
    created = alerts.c.created_at - days * DAY_SECONDS
    older = sa.update(alerts).where(alerts.c.id == alert_id).values(created_at=created)
    await execute(desk.services.database_url, older)


async def ids_in(desk: Desk, chosen: sa.Column[str]) -> set[str]:
    return set(await column(desk.services.database_url, sa.select(chosen)))


async def test_only_what_is_old_and_over_goes(database_url: str, tmp_path: Path):
    async with simulated_desk(tmp_path, database_url=SecretStr(database_url)) as desk:
        for alert_id in ("old", "young"):
            await desk.send(replace(TEXT, id=alert_id))
            await until_over(desk, alert_id)
        await desk.send(replace(TEXT, id="waiting", quiet_hours="00:00-23:59"))
        for alert_id, days in {"old": 31, "waiting": 31, "young": 29}.items():
            await make_older(desk, alert_id, days)
        history = await desk.history()
        assert await history.delete_old(30) == 1
        assert await history.delete_old(30) == 0
        assert await ids_in(desk, alerts.c.id) == {"young", "waiting"}
        assert await ids_in(desk, events.c.alert_id) == {"young", "waiting"}
        assert await ids_in(desk, submissions.c.alert_id) == {"young"}


async def test_the_worker_deletes_them_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(worker, "SECONDS_BEFORE_FIRST_DELETION", 0.2)
    monkeypatch.setattr(worker, "SECONDS_BETWEEN_DELETIONS", 0.2)
    monkeypatch.setattr(records, "OLD", records.OLD.limit(2))
    async with simulated_desk(tmp_path, keep_days=30) as desk:
        ids = [f"alert-{number}" for number in range(5)]
        await desk.send_all([replace(TEXT, id=each) for each in ids])
        for each in ids:
            await until_over(desk, each)
            await make_older(desk, each, 31)
        async with asyncio.timeout(30):
            while await ids_in(desk, alerts.c.id):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert await ids_in(desk, events.c.alert_id) == set()


async def test_a_broadcast_goes_with_the_last_of_its_alerts(database_url: str, tmp_path: Path):
    async with simulated_desk(tmp_path, database_url=SecretStr(database_url)) as desk:
        numbers = ("+14125550142", "+14125550143")
        for name in ("lot", "young"):
            await desk.broadcast([replace(TEXT, to=each) for each in numbers], id=name)
        url = desk.services.database_url
        old = broadcasts.c.created_at - 31 * DAY_SECONDS
        await execute(
            url, sa.update(broadcasts).where(broadcasts.c.id == "lot").values(created_at=old)
        )
        found = await desk.broadcast_of("lot")
        assert found is not None
        one, other = (each.id for each in found[1])
        history = await desk.history()
        for alert_id, left in ((one, {"lot", "young"}), (other, {"young"})):
            await until_over(desk, alert_id)
            await make_older(desk, alert_id, 31)
            assert await history.delete_old(30) == 1
            assert await ids_in(desk, broadcasts.c.id) == left
