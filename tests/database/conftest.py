"""Databases of these tests are made from nothing."""

from __future__ import annotations

import pytest


@pytest.fixture
def database_url(empty_database_url: str) -> str:
    """An empty database; the test runs with SQLite and with PostgreSQL."""
    return empty_database_url
