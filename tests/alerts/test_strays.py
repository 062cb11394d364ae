"""Alerts that a living worker has claimed without knowing it are delivered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from alerts import records, worker
from alerts.claims import Claims
from alerts.tables import alerts
from database import database as database_module
from database.opening import OpenDatabase
from tests.support.desks import TEXT, database_in, posts, simulated_desk, until_over
from tests.support.direct_sql import column

ELSEWHERE = "+14125550123"
LOST = sa.exc.DBAPIError("COMMIT", None, Exception("cut"), connection_invalidated=True)


@pytest.fixture(autouse=True)
def quick_recoveries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "SECONDS_BETWEEN_RECOVERIES", 0.1)


@pytest.mark.slow
async def test_the_answer_to_the_commit_of_a_claim_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The work runs again and finds nothing to claim."""
    commit, claim, losing, lost = database_module._commit, Claims.claim, False, 0

    async def claim_on_a_bad_line(self: Claims, worker_id: str, most: int):
        nonlocal losing
        losing = not lost
        return await claim(self, worker_id, most)

    def commit_on_a_bad_line(opened: OpenDatabase, writes: Sequence[Any]) -> list[Any]:
        nonlocal losing, lost
        outcomes = commit(opened, writes)
        if losing and any(outcomes):
            losing, lost = False, lost + 1
            raise LOST
        return outcomes

    monkeypatch.setattr(Claims, "claim", claim_on_a_bad_line)
    monkeypatch.setattr(database_module, "_commit", commit_on_a_bad_line)
    # The worker has no room for new alerts, so it claims them a moment later.
    monkeypatch.setattr(worker.Worker, "has_room_for", lambda *_: False)
    async with simulated_desk(tmp_path) as desk:
        [sent] = await desk.send_all([TEXT])
        assert (await until_over(desk, sent.id)).status == "delivered"
        assert lost == 1
        assert len(posts(desk)) == 1


async def test_many_are_saved_all_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object) -> None:
        raise RuntimeError("a defect")

    # Called once the rows of all alerts are inserted.
    monkeypatch.setattr(records, "add_words", fail)
    async with simulated_desk(tmp_path) as desk:
        with pytest.raises(RuntimeError, match="a defect"):
            await desk.send_all([replace(TEXT, id="first"), replace(TEXT, to=ELSEWHERE)])
        assert await column(database_in(tmp_path), sa.select(alerts.c.id)) == []
        assert posts(desk) == []
