"""The example that ships: it works at first run, and a program makes it grow."""

from __future__ import annotations

import importlib
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from rules.sandbox import Query, Sandbox
from rules.sources import Sources
from settings import Settings
from simulator.models.people import PEOPLE
from tests.support.project_folder import REPOSITORY

# Not by a statement: a type checker would know the module under two names.
tastings = importlib.import_module("examples.tastings")
BAD = "SELECT batch, phone FROM tastings WHERE diacetyl_ppb > limit_ppb ORDER BY tasted_at"


@pytest.fixture
def sources(tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sources:
    """Those of a first run: nothing is set but where data are kept."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    return Sources.from_settings(Settings(_env_file=None), sandbox.columns)


def grow(tmp_path: Path, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "examples.tastings", *arguments],
        cwd=REPOSITORY,
        env={"DATA_DIR": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


async def bad(sources: Sources, sandbox: Sandbox) -> list[str]:
    table = (await sources.fetch(["tastings"]))["tastings"].table
    return [str(row[0]) for row in (await sandbox.run(Query(BAD, (table,)))).rows]


async def test_a_first_run_has_something_to_watch(sources: Sources, sandbox: Sandbox):
    assert sources.names() == ("tastings",)
    assert sources.described("tastings") == "Example, CSV"
    assert len(await bad(sources, sandbox)) == 7
    types = {
        each.name: each.type
        for each in (await sources.fetch(["tastings"]))["tastings"].table.columns
    }
    assert types == {
        "batch": "VARCHAR",
        "beer": "VARCHAR",
        "diacetyl_ppb": "BIGINT",
        "limit_ppb": "BIGINT",
        "tasted_at": "TIMESTAMP WITH TIME ZONE",
        "brewer": "VARCHAR",
        "phone": "VARCHAR",
    }
    await sources.close()


@pytest.mark.slow
async def test_it_grows_beside_what_ships(sources: Sources, sandbox: Sandbox, tmp_path: Path):
    shipped = REPOSITORY / "rules" / "example" / "tastings.csv"
    before = sha256(shipped.read_bytes()).hexdigest()
    known = await bad(sources, sandbox)

    assert "over its limit" in grow(tmp_path, "--bad")
    assert await bad(sources, sandbox) == [*known, "1500"]
    grow(tmp_path, "--history", "--bad")
    now_bad = await bad(sources, sandbox)
    assert now_bad[: len(known)] == known
    assert now_bad[-2:] == ["1500", "1501"]
    assert len(now_bad) == len(known) + tastings.BAD_IN_HISTORY + 2
    assert sha256(shipped.read_bytes()).hexdigest() == before
    await sources.close()


async def test_a_relative_data_dir_is_the_apps_own(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # The process may be started anywhere.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", f"{'../' * len(REPOSITORY.parts)}{tmp_path}".replace("//", "/"))
    grow(tmp_path, "--bad")
    sources = Sources.from_settings(Settings(_env_file=None), sandbox.columns)
    assert "1500" in await bad(sources, sandbox)
    await sources.close()


@pytest.mark.slow
def test_good_rows_come_until_it_is_stopped(tmp_path: Path):
    # If whatever has started the tests ignores Ctrl-C, what they start would ignore it, too.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, "examples/tastings.py", "--every", "0.01"],
        cwd=REPOSITORY,
        env={"DATA_DIR": str(tmp_path), "PATH": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    signal.signal(signal.SIGINT, before)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(5)]
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)

    assert all(line.endswith("fine\n") for line in lines)
    assert (process.returncode, errors) == (0, "")
    rows = (tmp_path / "example" / "tastings.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows[1:6]] == ["1500", "1501", "1502", "1503", "1504"]


def test_what_is_made_up_is_always_the_same():
    now = datetime(2026, 11, 26, 12, tzinfo=UTC)
    rows = tastings.history(now)

    assert rows == tastings.history(now)
    assert sum(each.diacetyl_ppb > each.limit_ppb for each in rows) == tastings.BAD_IN_HISTORY
    times = [datetime.fromisoformat(each.tasted_at) for each in rows]
    assert now - timedelta(days=30) < times[0] < times[-1] < now


def test_its_people_are_the_simulators():
    numbers = {number for _, number in tastings.BREWERS}

    assert all(number.startswith("+1412555") for number in numbers)
    assert len(numbers & {each.number for each in PEOPLE}) >= 3
