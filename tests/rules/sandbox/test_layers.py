"""Each layer holds without the others: what gets past one is stopped by the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.sandbox import QueryError, QueryResult, Table, landlock
from rules.sandbox.limits import Layers
from tests.support.sandboxed import lab_csv, opened, outcome

pytestmark = pytest.mark.slow

ONLY_LANDLOCK = Layers(guard=False, duckdb_locks=False)
ONLY_LOCKS = Layers(guard=False, landlock=False)
NO_GUARD = Layers(guard=False)
NO_LIMITS = Layers(process_limits=False)

needs_landlock = pytest.mark.skipif(not landlock.version(), reason="the kernel has no Landlock")


@pytest.fixture
def lab(tmp_path: Path) -> Table:
    (tmp_path / "secret.csv").write_text("line\na secret\n")
    return lab_csv(tmp_path)


WRITES = (
    "COPY (SELECT 1) TO '{source}'",
    "COPY (SELECT 1) TO '{source}' (USE_TMP_FILE false)",
    "WITH x AS (COPY (SELECT 1) TO '{source}' (USE_TMP_FILE false)) SELECT 1",
    "COPY (SELECT 1) TO '{folder}/new.csv'",
    "EXPORT DATABASE '{folder}/all'",
    "ATTACH '{folder}/new.duckdb'",
    "SET temp_directory = '{folder}/temp'; CREATE TABLE t AS FROM range(100000000)",
)
READS = (
    "SELECT * FROM read_text('{secret}')",
    "SELECT * FROM read_csv('{secret}')",
    "SELECT * FROM '{secret}'",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_text('/proc/1/environ')",
    "ATTACH '{secret}' AS other",
    "SELECT * FROM read_blob('/etc/hosts')",
)
LOCKED = (
    "SET memory_limit = '100GB'",
    "SET enable_external_access = true",
    "SET threads = 8",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SELECT * FROM read_csv('https://example.com/x.csv')",
    "SELECT * FROM glob('{folder}/*')",
)


def filled(query: str, lab: Table) -> str:
    folder = lab.files[0].parent
    return (
        query.replace("{source}", str(lab.files[0]))
        .replace("{secret}", str(folder / "secret.csv"))
        .replace("{folder}", str(folder))
    )


def files(lab: Table) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in lab.files[0].parent.iterdir()}


async def went_through(layers: Layers, queries: tuple[str, ...], lab: Table) -> list[str]:
    through = []
    async with opened(layers) as sandbox:
        for query in queries:
            found = await outcome(sandbox, filled(query, lab), lab)
            if isinstance(found, QueryResult):
                through.append(query)
        assert isinstance(await outcome(sandbox, "SELECT * FROM lab", lab), QueryResult)
    return through


@needs_landlock
@pytest.mark.parametrize("layers", [ONLY_LANDLOCK, NO_GUARD], ids=["alone", "with DuckDB's locks"])
async def test_landlock_lets_nobody_write_nor_read_elsewhere(layers: Layers, lab: Table):
    before = files(lab)
    assert await went_through(layers, WRITES + READS, lab) == []
    assert files(lab) == before


async def test_duckdbs_locks_let_nobody_read_elsewhere_nor_unlock_them(lab: Table):
    assert await went_through(ONLY_LOCKS, READS + LOCKED, lab) == []


async def test_without_any_layer_the_same_queries_do_harm(lab: Table):
    """So that the tests above can fail."""
    nothing = Layers(guard=False, landlock=False, duckdb_locks=False, process_limits=False)
    async with opened(nothing) as sandbox:
        read = await outcome(sandbox, filled(READS[0], lab), lab)
        assert isinstance(read, QueryResult)
        await outcome(sandbox, filled(WRITES[1], lab), lab)
    assert "Ann" not in lab.files[0].read_text()


async def test_no_file_can_grow(lab: Table):
    """The limit of the process holds also where nothing else does."""
    only_limits = Layers(guard=False, landlock=False, duckdb_locks=False)
    async with opened(only_limits) as sandbox:
        found = await outcome(sandbox, filled(WRITES[3], lab), lab)
    new = lab.files[0].parent / "new.csv"
    assert isinstance(found, QueryError)
    assert not new.exists() or new.read_bytes() == b""


@pytest.mark.parametrize("layers", [NO_GUARD, Layers()], ids=["without the guard", "with all"])
async def test_memory_is_bounded_by_the_process(layers: Layers, lab: Table):
    async with opened(layers) as sandbox:
        found = await outcome(sandbox, "SELECT repeat('x', 4000000000)", lab)
    assert isinstance(found, QueryError)
    assert found.kind == "limit"
    assert "memory" in str(found)


async def test_the_app_itself_stops_what_takes_too_long(lab: Table):
    """Also if the child's own limits don't."""
    async with opened(NO_LIMITS) as sandbox:
        found = await outcome(sandbox, "SELECT count(*) FROM range(10000000000)", lab, seconds=0.7)
    assert isinstance(found, QueryError)
    assert str(found) == "The query was stopped after 0.7 s: let it read fewer rows."
