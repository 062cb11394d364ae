"""A worker that can't start leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from alerts.claims import Liveness
from alerts.services import Mode
from alerts.tables import workers
from tests.support.desks import database_in, simulated_desk, worker_of
from tests.support.direct_sql import column


async def test_a_worker_that_could_not_start_does_not_count_as_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    beat, starts = Liveness.beat, 0

    async def fail_once(self: Liveness, worker_id: str, mode: Mode) -> None:
        nonlocal starts
        starts += 1
        await beat(self, worker_id, mode)
        if starts == 1:
            raise RuntimeError("a defect")

    monkeypatch.setattr(Liveness, "beat", fail_once)
    known = sa.select(workers.c.id)
    async with simulated_desk(tmp_path) as desk:
        with pytest.raises(RuntimeError, match="a defect"):
            await desk.open()
        assert await column(database_in(tmp_path), known) == []
        await desk.open()
        assert await column(database_in(tmp_path), known) == [worker_of(desk).id]
