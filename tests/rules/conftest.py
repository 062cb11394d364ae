"""Saved rules in a database, on SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest

from database.database import Database
from people import tables as _people  # noqa: F401 - adds its tables to the metadata
from rules import tables as _rules  # noqa: F401 - adds its tables to the metadata
from rules.saved_rules import SavedRules

SIMULATION = "AC_simulation"


@pytest.fixture
def saved(database: Database) -> SavedRules:
    return SavedRules(database, SIMULATION, "America/New_York")
