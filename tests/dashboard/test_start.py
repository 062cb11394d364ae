"""The first page waits for nothing that only a later action needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LATER = {"sqlalchemy", "alembic", "duckdb", "argon2", "boto3", "aiohttp", "simulator.app"}
ACCOUNT = {
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "0" * 32,
    "TWILIO_FROM_NUMBER": "+15017122661",
}


def imported(folder: Path, environment: dict[str, str]) -> set[str]:
    """The modules that an app has imported when it can serve its first page."""
    said = subprocess.run(
        [sys.executable, "-c", "import app, sys; print(*sys.modules)"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(folder), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Callboard can't start" not in said.stderr
    return set(said.stdout.split())


@pytest.mark.slow
def test_an_app_with_an_account_starts_without_database_requests_and_simulator(tmp_path: Path):
    assert imported(tmp_path, ACCOUNT) & {*LATER, "simulator"} == set()


@pytest.mark.slow
def test_an_app_without_an_account_starts_without_building_its_simulator(tmp_path: Path):
    assert "simulator" in imported(tmp_path, {})
    assert imported(tmp_path, {}) & LATER == set()
