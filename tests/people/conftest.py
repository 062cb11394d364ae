"""A database with the tables of people, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from alerts.phone_numbers import Regions
from database.database import Database
from database.tables import metadata
from people import tables as _people  # noqa: F401 - adds its tables to the metadata
from people.contacts import Contacts

REGIONS = Regions("US", ("US", "GB", "AU"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url, metadata)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def contacts(database: Database) -> Contacts:
    return Contacts(database, REGIONS)
