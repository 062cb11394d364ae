"""The processes behind a sandbox: what they inherit, how they end, and what the app notices."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rules.sandbox import Query, QueryError, QueryResult, Sandbox, Table
from rules.sandbox.zygote_process import PACKAGES
from tests.support.sandboxed import (
    cpu_seconds,
    lab_csv,
    lab_parquet,
    open_files,
    opened,
    outcome,
    processes_of,
    read_process,
    threads_of,
    wait_until_gone,
    zygote_pid,
)

pytestmark = [pytest.mark.slow, pytest.mark.starts_zygotes]

# Much longer than any test waits.
LONG = "SELECT max(md5(range::VARCHAR)) FROM range(100000000000)"
GOOD = "SELECT count(*) FROM lab"


@pytest.fixture
def lab(tmp_path: Path) -> Table:
    return lab_csv(tmp_path)


async def children_of(sandbox: Sandbox, count: int) -> list[int]:
    """Wait until this many children run, and return them."""
    while True:
        if sandbox.zygote_pid is not None:
            pid = zygote_pid(sandbox)
            found = [each for each in processes_of(pid) if each != pid]
            if len(found) == count:
                return found
        await asyncio.sleep(0.01)


async def until_running(child: int) -> None:
    """Wait until a child has closed all that isn't its own."""
    while True:
        if sum(each.startswith("socket:") for each in open_files(child)) == 1:
            return
        await asyncio.sleep(0.01)


async def until_computing(child: int) -> None:
    """Wait until a child has spent a quarter of a second of CPU: it then runs its query."""
    while True:
        if cpu_seconds(child) > 0.25:
            return
        await asyncio.sleep(0.01)


async def test_no_secret_is_inherited(lab: Table, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "a-secret-token")
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:a-secret-password@localhost/x")
    opened_before = os.open(tmp_path / "secret.txt", os.O_RDWR | os.O_CREAT)
    os.set_inheritable(opened_before, True)
    try:
        async with opened() as sandbox:
            assert isinstance(await outcome(sandbox, GOOD, lab), QueryResult)
            zygote = zygote_pid(sandbox)
            assert "secret" not in read_process(zygote, "environ")
            assert "secret" not in read_process(zygote, "cmdline")
            assert not any(each.endswith("secret.txt") for each in open_files(zygote))
            await children_of(sandbox, 0)  # the one before may be ending
            running = asyncio.create_task(outcome(sandbox, LONG, lab, seconds=3))
            (child,) = await children_of(sandbox, 1)
            assert "secret" not in read_process(child, "environ")
            await until_running(child)
            assert not any(
                each.startswith("pipe:") or each.endswith("secret.txt")
                for each in open_files(child)
            )
            running.cancel()
    finally:
        os.close(opened_before)


async def test_the_zygote_holds_no_thread(lab: Table):
    """Forking a process that has several can leave locks that are never released."""
    async with opened() as sandbox:
        assert isinstance(await outcome(sandbox, GOOD, lab), QueryResult)
        assert threads_of(zygote_pid(sandbox)) == 1


def test_the_zygote_loads_only_the_sandbox():
    program = (
        "import json, sys, types\n"
        "for name, folder in json.loads(sys.argv[1]).items():\n"
        "    sys.modules[name] = types.ModuleType(name); sys.modules[name].__path__ = [folder]\n"
        "import rules.sandbox.zygote\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    root = str(Path(__file__).resolve().parents[3])
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(PACKAGES)],
        capture_output=True,
        check=True,
        cwd=root,
    )
    loaded = json.loads(done.stdout)
    assert "duckdb" in loaded
    assert not {"sqlalchemy", "shiny", "alerts", "people", "settings", "asyncio"} & set(loaded)


def test_the_app_never_loads_duckdb():
    program = "import sys, rules.sandbox; print('duckdb' in sys.modules)"
    root = str(Path(__file__).resolve().parents[3])
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, cwd=root, text=True
    )
    assert done.stdout.strip() == "False"


async def test_nothing_is_started_before_the_first_query_nor_left_after_closing(lab: Table):
    sandbox = Sandbox()
    assert sandbox.zygote_pid is None
    running = asyncio.create_task(outcome(sandbox, LONG, lab))
    children = await children_of(sandbox, 1)
    await until_computing(children[0])
    pids = [zygote_pid(sandbox), *children]
    await sandbox.close()
    wait_until_gone(pids)
    found = await running
    assert isinstance(found, QueryError)
    assert found.kind == "failed"
    assert str(found) == "Rules' queries can't be run any more: the app is closing."
    assert str(await outcome(sandbox, GOOD, lab)) == str(found)
    await sandbox.close()


async def test_several_queries_run_at_once(tmp_path: Path):
    tastings = lab_parquet(tmp_path)
    async with opened() as sandbox:
        query = "SELECT batch, {0} AS n FROM tastings WHERE batch = {0}"
        queries = [query.format(n) for n in range(40)]
        results = await asyncio.gather(*(sandbox.run(Query(each, (tastings,))) for each in queries))
        assert [each.rows for each in results] == [[(n, n)] for n in range(40)]
        await children_of(sandbox, 0)


async def test_a_slow_query_holds_up_neither_others_nor_the_event_loop(lab: Table):
    async with opened() as sandbox:
        await outcome(sandbox, GOOD, lab)
        turns = 0

        async def count_turns() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0.005)
                turns += 1

        counting = asyncio.create_task(count_turns())
        slow = asyncio.create_task(outcome(sandbox, LONG, lab, seconds=60))
        others = [await outcome(sandbox, GOOD, lab) for _ in range(5)]
        assert all(isinstance(each, QueryResult) for each in others)
        assert not slow.done()
        # Several hundred on an idle machine.
        assert turns > 10
        slow.cancel()
        counting.cancel()


async def test_a_killed_zygote_is_started_again_and_the_query_runs_again(tmp_path: Path):
    tastings = lab_parquet(tmp_path)
    # It takes long enough for a busy machine to see it run.
    query = "SELECT count(*), sum(a.batch) FROM tastings a, tastings b, (FROM tastings LIMIT 20) c"
    async with opened() as sandbox:
        running = asyncio.create_task(outcome(sandbox, query, tastings, seconds=60))
        children = await children_of(sandbox, 1)
        first = zygote_pid(sandbox)
        os.kill(first, signal.SIGKILL)
        # The kernel ends its children with it.
        wait_until_gone([first, *children])
        found = await running
        assert isinstance(found, QueryResult), str(found)
        assert found.rows == [(20 * 5000**2, 20 * 5000 * sum(range(5000)))]
        assert zygote_pid(sandbox) != first


async def test_a_zygote_that_died_in_peace_is_started_again(lab: Table):
    async with opened() as sandbox:
        assert isinstance(await outcome(sandbox, GOOD, lab), QueryResult)
        for _ in range(3):
            pid = zygote_pid(sandbox)
            os.kill(pid, signal.SIGKILL)
            wait_until_gone([pid])
            assert isinstance(await outcome(sandbox, GOOD, lab), QueryResult)


async def test_many_queries_outlast_the_zygotes_death(tmp_path: Path):
    tastings = lab_parquet(tmp_path)
    query = "SELECT count(*) FROM tastings a, (FROM tastings LIMIT 500) b WHERE a.batch > b.batch"
    async with opened() as sandbox:
        running = [asyncio.create_task(outcome(sandbox, query, tastings)) for _ in range(8)]
        await children_of(sandbox, 4)
        os.kill(zygote_pid(sandbox), signal.SIGKILL)
        found = await asyncio.gather(*running)
    rows = [getattr(each, "rows", str(each)) for each in found]
    assert rows == [[(500 * 4_999 - 250 * 499,)]] * 8


async def test_a_canceled_caller_leaves_no_process(lab: Table):
    async with opened() as sandbox:
        running = asyncio.create_task(sandbox.run(Query(LONG, (lab,)), seconds=60))
        children = await children_of(sandbox, 1)
        await until_computing(children[0])
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await asyncio.to_thread(wait_until_gone, children)
        assert isinstance(await outcome(sandbox, GOOD, lab), QueryResult)


async def test_canceled_callers_give_their_places_back(lab: Table):
    async with opened() as sandbox:
        for _ in range(3):
            running = [
                asyncio.create_task(sandbox.run(Query(LONG, (lab,)), seconds=60)) for _ in range(9)
            ]
            for child in await children_of(sandbox, 4):
                await until_computing(child)
            for each in running:
                each.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await children_of(sandbox, 0)
        assert isinstance(await outcome(sandbox, GOOD, lab), QueryResult)


async def test_a_child_that_is_killed_is_told_as_want_of_memory(lab: Table):
    """The kernel kills like that, the process with the most memory first."""
    async with opened() as sandbox:
        running = asyncio.create_task(outcome(sandbox, LONG, lab))
        (child,) = await children_of(sandbox, 1)
        await until_running(child)
        assert read_process(child, "oom_score_adj").strip() == "1000"
        os.kill(child, signal.SIGKILL)
        found = await running
        assert isinstance(found, QueryError)
        assert (found.kind, "memory" in str(found)) == ("limit", True)


async def test_a_child_that_crashes_is_told_as_a_crash(lab: Table):
    async with opened() as sandbox:
        running = asyncio.create_task(outcome(sandbox, LONG, lab))
        (child,) = await children_of(sandbox, 1)
        await until_computing(child)
        os.kill(child, signal.SIGSEGV)
        found = await running
        assert isinstance(found, QueryError)
        assert (found.kind, str(found).split(":")[0]) == ("failed", "DuckDB crashed on this query")


def test_nothing_is_left_when_the_app_is_killed(tmp_path: Path):
    lab_csv(tmp_path)
    program = f"""
import asyncio
from pathlib import Path
from rules.sandbox import Query, Sandbox, Table
from tests.support.sandboxed import cpu_seconds, processes_of, zygote_pid

async def main():
    sandbox = Sandbox()
    lab = Table("lab", (Path({str(tmp_path / "lab.csv")!r}),), "csv")
    running = asyncio.create_task(sandbox.run(Query({LONG!r}, (lab,)), seconds=60))
    while sandbox.zygote_pid is None or len(processes_of(zygote_pid(sandbox))) < 2:
        await asyncio.sleep(0.01)
    pids = processes_of(zygote_pid(sandbox))
    while max(cpu_seconds(pid) for pid in pids if pid != zygote_pid(sandbox)) < 0.25:
        await asyncio.sleep(0.01)
    print(*pids, flush=True)
    await running

asyncio.run(main())
"""
    root = Path(__file__).resolve().parents[3]
    app = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=root, text=True
    )
    assert app.stdout is not None
    try:
        pids = [int(each) for each in app.stdout.readline().split()]
    finally:
        app.kill()
        app.wait()
        app.stdout.close()
    assert len(pids) == 2
    wait_until_gone(pids)
