"""How long it takes to tell that a source hasn't changed, beside a bare `os.stat` of its file.

    python -m bench.rules_sources

The file is a CSV of 1 GB: rows at its beginning and its end, and a hole between them that takes no
room on the disk. What is measured is `Sources.fetch`, as each check of a rule calls it.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.results import Result, Target, print_table
from rules.sandbox import Column, Table
from rules.sources import Sources

SIZE_BYTES = 1_000_000_000
LOOKS = 2_000
ROWS = b"batch,beer,ppb\n" + b"".join(b"%d,Pale ale,%d\n" % (at, at % 90) for at in range(50_000))
COLUMNS = (Column("batch", "BIGINT"), Column("beer", "VARCHAR"), Column("ppb", "BIGINT"))
FAST = Target("ours", "≤", 1)


def measure() -> list[Result]:
    """Look at an unchanged file again and again."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "lab.csv"
        with file.open("wb") as opened:
            opened.write(ROWS)
            opened.seek(SIZE_BYTES - len(ROWS))
            opened.write(ROWS)
        an_hour_ago = time.time() - 3600
        os.utime(file, (an_hour_ago, an_hour_ago))
        (Path(folder) / "sources.toml").write_text('[lab]\nfile = "lab.csv"\n')
        ours = asyncio.run(_looks(Path(folder)))
        bare = [_timed(lambda: os.stat(file)) for _ in range(LOOKS)]
    return [
        Result(
            "An unchanged CSV of 1 GB, median",
            "ms",
            statistics.median(ours),
            statistics.median(bare),
            FAST,
        ),
        # On a busy machine, these rather show how long a thread waits for a core.
        Result("An unchanged CSV of 1 GB, p95", "ms", _p95(ours), _p95(bare)),
    ]


async def _looks(folder: Path) -> list[float]:
    # Reading the columns is the sandbox's work, and done once a file; it isn't measured here.
    async def columns_of(tables: Sequence[Table]) -> Mapping[str, tuple[Column, ...]]:
        return {each.name: COLUMNS for each in tables}

    sources = Sources.load(folder / "sources.toml", folder / "data", columns_of=columns_of)
    first = await sources.fetch(["lab"])
    taken = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        found = await sources.fetch(["lab"], known=first)
        taken.append((time.perf_counter() - began) * 1000)
        assert found["lab"] is first["lab"]
    await sources.close()
    return taken


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def _p95(taken: Sequence[float]) -> float:
    return statistics.quantiles(taken, n=20)[-1]


if __name__ == "__main__":
    print_table(measure())
