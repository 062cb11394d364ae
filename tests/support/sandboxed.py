"""Tables for sandboxed queries, sandboxes that are closed afterwards, and what is left of them."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import duckdb

from rules.sandbox import Query, QueryError, QueryResult, Sandbox, Table
from rules.sandbox.limits import ALL_LAYERS, Layers

LAB = """\
batch,client,diacetyl_ppb,weight,tasted_at,"at",retest
1401,Ann,120,1.50,2026-11-01 10:00:00,2026-11-01,
1402,Ben,250,2.25,2026-11-20 10:30:00,2026-11-20,true
1403,Ann,300,3.00,2026-11-24 23:30:00,2026-11-24,false
1404,"O'Neil, Zoë",90,0.75,2026-11-25 08:00:00,2026-11-25,
"""


def lab_csv(folder: Path, name: str = "lab") -> Table:
    """Return a table of four tastings in a CSV file."""
    file = folder / f"{name}.csv"
    file.write_text(LAB, encoding="utf-8")
    return Table(name, (file,), "csv")


def lab_parquet(folder: Path, rows: int = 5_000, name: str = "tastings") -> Table:
    """Return a table of tastings, one a minute, in a Parquet file."""
    file = folder / f"{name}.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE tastings AS SELECT range AS batch, 'client ' || range % 50 AS client, "
            "(range * 7919) % 400 AS diacetyl_ppb, "
            "TIMESTAMP '2026-11-01' + to_minutes(range) AS tasted_at FROM range(?)",
            [rows],
        )
        connection.execute(f"COPY tastings TO '{file}' (FORMAT parquet)")
    return Table(name, (file,), "parquet")


@asynccontextmanager
async def opened(layers: Layers = ALL_LAYERS) -> AsyncIterator[Sandbox]:
    """A sandbox that is closed after the block."""
    sandbox = Sandbox(layers)
    try:
        yield sandbox
    finally:
        await sandbox.close()


async def outcome(
    sandbox: Sandbox, sql: str, *tables: Table, seconds: float = 20
) -> QueryResult | QueryError:
    """Return what became of a query, also if it failed."""
    try:
        return await sandbox.run(Query(sql, tables), seconds)
    except QueryError as error:
        return error


def zygote_pid(sandbox: Sandbox) -> int:
    """Return the process id of the zygote that a sandbox has started."""
    assert sandbox.zygote_pid is not None
    return sandbox.zygote_pid


def read_process(pid: int, what: str) -> str:
    """Return a file of /proc about a process, such as `environ`."""
    return Path(f"/proc/{pid}/{what}").read_text(errors="replace")


def open_files(pid: int) -> list[str]:
    """Return what a process has open, such as `/dev/null` and `socket:[4711]`."""
    return [os.readlink(each) for each in Path(f"/proc/{pid}/fd").iterdir()]


def threads_of(pid: int) -> int:
    """Return how many threads a process has."""
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def cpu_seconds(pid: int) -> float:
    """Return how much CPU a process has used by itself."""
    ticks = int(read_process(pid, "stat").rsplit(")", 1)[1].split()[11])
    return ticks / os.sysconf("SC_CLK_TCK")


def processes_of(pid: int) -> list[int]:
    """Return a process, if it still runs, and its children; zombies aren't counted."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if fields[0] != "Z" and (int(folder.name) == pid or int(fields[1]) == pid):
                found.append(int(folder.name))
    return found


def wait_until_gone(pids: list[int], seconds: float = 10) -> None:
    """Wait until none of the processes runs any more."""
    deadline = time.monotonic() + seconds
    while any(_runs(pid) for pid in pids):
        assert time.monotonic() < deadline, f"of {pids} some still run"
        time.sleep(0.01)


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z" and os.path.exists(f"/proc/{pid}")
