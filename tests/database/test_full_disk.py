"""Writes wait for room on a full disk, as they wait for a database that can't be reached."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from database.errors import is_passing
from storage import InlineStorage, Instructions, StorageError
from tests.support.desks import CALL, followed, posts, simulated_desk
from tests.support.notes_table import all_notes, database_with_notes, note
from tests.support.postgres import PostgresServer, fresh_database
from tests.support.waiting import until

pytestmark = pytest.mark.slow

UNLIMITED = 2**32 - 2


class Disk:
    """The disk of all SQLite databases. While it `is_full`, no page can be added."""

    is_full = False
    refused = 0

    def limit(self, connection: sa.Connection) -> None:
        if connection.dialect.name == "sqlite":
            # SQLite takes it as the present size if that is larger.
            # https://www.sqlite.org/pragma.html#pragma_max_page_count
            pages = 1 if self.is_full else UNLIMITED
            connection.connection.cursor().execute(f"PRAGMA max_page_count = {pages}")

    def count(self, context: sa.ExceptionContext) -> None:
        self.refused += "disk is full" in str(context.original_exception)


@pytest.fixture
def disk() -> Iterator[Disk]:
    made = Disk()
    listeners = (("begin", made.limit), ("handle_error", made.count))
    for event, listener in listeners:
        sa.event.listen(sa.Engine, event, listener)
    yield made
    for event, listener in listeners:
        sa.event.remove(sa.Engine, event, listener)


async def test_it_is_written_when_there_is_room_again(
    tmp_path: Path, disk: Disk, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    async with database_with_notes(f"sqlite:///{tmp_path}/x.sqlite") as database:
        disk.is_full = True
        writing = asyncio.create_task(database.write(note("long" * 10_000)))
        await until(lambda: disk.refused >= 2)
        assert not writing.done()
        assert await database.read(all_notes) == []
        disk.is_full = False
        await asyncio.wait_for(writing, 10)
        assert len(await database.read(all_notes)) == 1
    logged = [each.getMessage() for each in caplog.records if each.name == "database.database"]
    assert len(logged) == 2
    assert logged[0].endswith("database or disk is full.")


class FillingStorage(InlineStorage):
    """A storage that fills the disk and fails with a long message."""

    def __init__(self, disk: Disk) -> None:
        super().__init__()
        self._disk = disk
        self.documents = 0

    async def publish(self, name: str, xml: str) -> Instructions:
        self.documents += 1
        self._disk.is_full = self.documents == 1
        raise StorageError("S3", "It failed. " * 2_000, "Look at it.")


async def test_an_event_that_has_no_room_does_not_end_its_try(tmp_path, disk):
    storage = FillingStorage(disk)
    async with simulated_desk(tmp_path, storage) as desk:
        await desk.open()
        sending = asyncio.create_task(followed(desk, CALL))
        await until(lambda: disk.refused >= 1)
        disk.is_full = False
        alert = await sending
        assert (alert.status, alert.error) == ("completed", None)
        assert "Not stored: sent inside the request instead" in {each.note for each in alert.events}
        assert len(posts(desk)) == 1


@pytest.mark.parametrize(
    "kind",
    [
        psycopg.errors.DiskFull,
        psycopg.errors.OutOfMemory,
        psycopg.errors.TooManyConnections,
        psycopg.errors.IoError,
    ],
)
def test_postgresql_lacks_something(kind: type[psycopg.Error]):
    assert is_passing(sa.exc.OperationalError("INSERT", {}, kind()))


@pytest.mark.parametrize(
    "kind", [psycopg.errors.UniqueViolation, psycopg.errors.InsufficientPrivilege]
)
def test_what_no_waiting_cures(kind: type[psycopg.Error]):
    assert not is_passing(sa.exc.OperationalError("INSERT", {}, kind()))


async def test_postgresql_has_no_room_for_a_while(postgres: PostgresServer):
    """PostgreSQL's limit on temporary files stands in for a full disk: same error class."""
    times = 0

    def sort_on_the_disk(connection: sa.Connection) -> None:
        nonlocal times
        times += 1
        note("sorted")(connection)
        if times == 1:
            connection.execute(sa.text("SET LOCAL work_mem = '64kB'"))
            connection.execute(sa.text("SET LOCAL temp_file_limit = '1kB'"))
        many = "SELECT count(*) FROM (SELECT g FROM generate_series(1, 50000) g ORDER BY -g) s"
        connection.execute(sa.text(many))

    async with database_with_notes(fresh_database(postgres)) as database:
        await database.write(sort_on_the_disk)
        assert times == 2
        assert await database.read(all_notes) == ["sorted"]
