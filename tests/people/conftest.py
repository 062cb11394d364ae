"""Contacts in a database, on SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest

from alerts.phone_numbers import Regions
from database.database import Database
from people import tables as _people  # noqa: F401 - adds its tables to the metadata
from people.contacts import Contacts

REGIONS = Regions("US", ("US", "GB", "AU"))


@pytest.fixture
def contacts(database: Database) -> Contacts:
    return Contacts(database, REGIONS)
