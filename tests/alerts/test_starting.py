"""A worker that can't start leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from alerts.claims import Claims
from database import liveness
from tests.support.desks import simulated_desk


async def test_a_worker_that_could_not_start_holds_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    add_worker, starts = Claims.add_worker, 0

    async def fail_once(self: Claims, worker_id: str, mode: str) -> None:
        nonlocal starts
        starts += 1
        await add_worker(self, worker_id, mode)
        if starts == 1:
            raise RuntimeError("a defect")

    held = set(liveness._held)
    monkeypatch.setattr(Claims, "add_worker", fail_once)
    async with simulated_desk(tmp_path) as desk:
        with pytest.raises(RuntimeError, match="a defect"):
            await desk.open()
        assert liveness._held == held
        await desk.open()
        assert len(liveness._held - held) == 1
