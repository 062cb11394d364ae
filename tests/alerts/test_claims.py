"""Claiming alerts that are due, side by side with other processes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from alerts.alert import NewAlert
from alerts.claims import Claims
from alerts.history import History
from alerts.tables import alerts
from database.connecting import engine_for, parsed
from database.database import Database
from simulator import SIMULATOR_ACCOUNT_SID, SIMULATOR_FROM_NUMBER
from tests.support.desks import TEXT, simulated_desk, until_over
from tests.support.postgres import PostgresServer, fresh_database


@pytest.mark.slow
async def test_what_a_process_that_stands_still_has_locked_keeps_no_other_busy(
    tmp_path: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
):
    claim, claims = Claims.claim, 0

    async def counted(self: Claims, worker_id: str, most: int):
        nonlocal claims
        claims += 1
        return await claim(self, worker_id, most)

    monkeypatch.setattr(Claims, "claim", counted)
    url = fresh_database(postgres)
    database = Database(url)
    await database.open()
    history = History(database, SIMULATOR_ACCOUNT_SID)
    await history.add([NewAlert("locked", TEXT, SIMULATOR_FROM_NUMBER)])
    await database.close()
    async with simulated_desk(tmp_path, database_url=SecretStr(url)) as desk:
        with engine_for(parsed(url), None).connect() as connection:
            connection.execute(sa.select(alerts).with_for_update())
            await desk.open()
            await asyncio.sleep(1)
            assert claims <= 4
        assert (await until_over(desk, "locked")).status == "delivered"
