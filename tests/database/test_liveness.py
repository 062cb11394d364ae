"""Which workers are alive: a process that was killed is known to be dead, and no other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from filelock import FileLock, Timeout

from database.liveness import Liveness, liveness_of
from tests.support.living_processes import dead_at_last, kill, workers

GRACE = 0.5


@pytest.fixture
async def watcher(database_url: str) -> AsyncIterator[Liveness]:
    liveness = liveness_of(database_url, grace_seconds=GRACE)
    await liveness.hold("watcher")
    yield liveness
    await liveness.release()


async def test_a_process_that_is_killed_is_dead(watcher: Liveness, database_url: str):
    with workers(database_url, "host-1.a", "host-1.b") as (one, _):
        assert await watcher.dead(["host-1.a", "host-1.b", "watcher"]) == set()
        killed = time.monotonic()
        kill(one)
        assert await dead_at_last(watcher, "host-1.a", "host-1.b", "watcher") == {"host-1.a"}
        if "sqlite" in database_url:
            assert time.monotonic() - killed < 1
        else:
            assert time.monotonic() - killed >= GRACE
        assert await watcher.dead(["host-1.a"]) == {"host-1.a"}


async def test_a_worker_that_never_was_is_dead(watcher: Liveness):
    assert await dead_at_last(watcher, "unknown", "watcher") == {"unknown"}


async def test_a_process_may_leave_and_the_next_have_its_id(watcher: Liveness, database_url: str):
    first, second = liveness_of(database_url), liveness_of(database_url)
    await first.hold("host-1")
    waiting = asyncio.create_task(second.hold("host-1"))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    await first.release()
    await asyncio.wait_for(waiting, 5)
    assert await watcher.dead(["host-1"]) == set()
    await second.release()
    assert await dead_at_last(watcher, "host-1") == {"host-1"}


async def test_many_look_at_once_and_the_living_stay_alive(watcher: Liveness, database_url: str):
    others = [liveness_of(database_url, grace_seconds=0) for _ in range(5)]
    mine = liveness_of(database_url)
    for _ in range(20):
        looks = [asyncio.create_task(each.dead(["mine", "watcher"])) for each in others]
        await mine.hold("mine")
        await asyncio.gather(*looks)
        for each in others:
            assert await each.dead(["mine", "watcher"]) == set()
        await mine.release()
        mine = liveness_of(database_url)


async def test_an_id_is_letters_digits_hyphens_and_dots(watcher: Liveness):
    for worker_id in ("", "a/b", "../a", "a b", "a_b", "é", "a\n"):
        with pytest.raises(ValueError, match="worker id"):
            await watcher.dead([worker_id])
        with pytest.raises(ValueError, match="worker id"):
            await watcher.hold(worker_id)


async def test_sqlite_leaves_no_files_of_the_dead(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/x.sqlite"
    watcher = liveness_of(url)
    with workers(url, "one") as (process,):
        assert [each.name for each in (tmp_path / "x.sqlite.workers").iterdir()] == ["one.lock"]
        kill(process)
        assert await watcher.dead(["one"]) == {"one"}
    assert list((tmp_path / "x.sqlite.workers").iterdir()) == []


async def test_a_file_is_removed_while_it_is_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A process that locked it between unlocking and removing would hold a file that is gone."""
    watcher = liveness_of(f"sqlite:///{tmp_path}/x.sqlite")
    file = tmp_path / "x.sqlite.workers" / "one.lock"
    file.parent.mkdir()
    file.touch()
    remove, locked = Path.unlink, []

    def look_and_remove(path: Path, missing_ok: bool = False) -> None:
        try:
            FileLock(path, timeout=0).acquire()
        except Timeout:
            locked.append(path)
        remove(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", look_and_remove)
    assert await watcher.dead(["one"]) == {"one"}
    assert locked == [file]
    assert not file.exists()
