"""A database with the tables of rules, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from database.database import Database
from database.tables import metadata
from people import tables as _people  # noqa: F401 - adds its tables to the metadata
from rules import tables as _rules  # noqa: F401 - adds its tables to the metadata
from rules.saved_rules import SavedRules

SIMULATION = "AC_simulation"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url, metadata)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def saved(database: Database) -> SavedRules:
    return SavedRules(database, SIMULATION, "America/New_York")
