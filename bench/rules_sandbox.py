"""A check in the sandbox: of a small Parquet file, and of ten million rows.

    python -m bench.rules_sandbox

The peer of each is bare DuckDB in a warm process of its own, on one thread as in the sandbox, with
the same query over the same file. A small check costs a process, so its milliseconds count; for a
large one the ratio counts.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import duckdb

from bench.results import Result, Target, print_table
from rules.sandbox import Query, Sandbox, Table

SMALL, LARGE = 5_000, 10_000_000
SMALL_ROUNDS, LARGE_ROUNDS = 40, 5
SMALL_QUERY = "SELECT batch, client, diacetyl_ppb, tasted_at FROM lab WHERE diacetyl_ppb > 395"
LARGE_QUERY = (
    "SELECT client, count(*), avg(diacetyl_ppb), max(tasted_at) FROM lab "
    "WHERE diacetyl_ppb > 100 GROUP BY client"
)
# Asks DuckDB as the sandbox does, with nothing around it, and prints how long it took.
BARE = """
import json, sys, time
import duckdb
connection = duckdb.connect(config={"threads": "1", "memory_limit": "512MB"})
for line in sys.stdin:
    query = json.loads(line)
    began = time.perf_counter()
    rows = connection.execute(query).fetchall()
    print(time.perf_counter() - began, flush=True)
"""


def measure() -> list[Result]:
    """Milliseconds of a check, the median of many in turns with bare DuckDB."""
    with tempfile.TemporaryDirectory() as folder:
        small, large = _table(Path(folder), "small", SMALL), _table(Path(folder), "large", LARGE)
        return asyncio.run(_measure(small, large))


async def _measure(small: Table, large: Table) -> list[Result]:
    sandbox = Sandbox()
    try:
        with _bare() as bare:
            one = await _in_turns(sandbox, bare, SMALL_QUERY, small, SMALL_ROUNDS)
            cpu = await _cpu(sandbox, SMALL_QUERY, small)
            look = await _look(sandbox)
            many = await _in_turns(sandbox, bare, LARGE_QUERY, large, LARGE_ROUNDS)
    finally:
        await sandbox.close()
    return [
        Result(f"A check of {SMALL:,} rows of Parquet", "ms", *one, Target("ours", "≤", 60)),
        Result("CPU of that, with its process", "ms", cpu, one[1]),
        Result("Looking at a query's text", "ms", look, one[1]),
        Result(f"A check of {LARGE:,} rows", "ms", *many, Target("ratio", "≤", 1.25)),
    ]


async def _in_turns(
    sandbox: Sandbox, bare: subprocess.Popen[str], sql: str, table: Table, rounds: int
) -> tuple[float, float]:
    """Return the median of ours, and of DuckDB alone, in milliseconds."""
    reading = f"read_parquet('{table.files[0]}')"
    alone = sql.replace("FROM lab", f"FROM {reading} AS lab")
    ours, peers = [], []
    for round_ in range(rounds + 2):
        began = time.perf_counter()
        await sandbox.run(Query(sql, (table,)), seconds=120)
        taken = time.perf_counter() - began
        peer = _ask(bare, alone)
        if round_ > 1:
            ours.append(taken * 1000)
            peers.append(peer * 1000)
    return median(ours), median(peers)


async def _cpu(sandbox: Sandbox, sql: str, table: Table) -> float:
    """Return the CPU of a check in milliseconds, with that of the zygote and its children."""
    zygote = sandbox.zygote_pid
    assert zygote is not None
    began = time.process_time() + _cpu_of(zygote)
    for _ in range(SMALL_ROUNDS):
        await sandbox.run(Query(sql, (table,)))
    ended = time.process_time() + _cpu_of(zygote)
    return (ended - began) * 1000 / SMALL_ROUNDS


def _cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process and of its children that ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / 100


async def _look(sandbox: Sandbox) -> float:
    taken = []
    for round_ in range(SMALL_ROUNDS):
        began = time.perf_counter()
        # Another text each time, because examined texts are remembered.
        await sandbox.tables_of(f"{SMALL_QUERY} LIMIT {round_}")
        taken.append((time.perf_counter() - began) * 1000)
    return median(taken)


@contextmanager
def _bare() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", BARE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _ask(bare: subprocess.Popen[str], sql: str) -> float:
    assert bare.stdin is not None
    assert bare.stdout is not None
    bare.stdin.write(json.dumps(sql) + "\n")
    bare.stdin.flush()
    return float(bare.stdout.readline())


def _table(folder: Path, name: str, rows: int) -> Table:
    file = folder / f"{name}.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE lab AS SELECT range AS batch, 'client ' || range % 50 AS client, "
            "(range * 7919) % 400 AS diacetyl_ppb, "
            "TIMESTAMP '2026-11-01' + to_minutes(range) AS tasted_at FROM range(?)",
            [rows],
        )
        connection.execute(f"COPY lab TO '{file}' (FORMAT parquet)")
    return Table("lab", (file,), "parquet")


if __name__ == "__main__":
    print_table(measure())
