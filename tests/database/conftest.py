"""Databases of these tests are made from nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.postgres import fresh_database


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database; the test runs with SQLite and with PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'callboard.sqlite'}"
    return fresh_database(request.getfixturevalue("postgres"))
