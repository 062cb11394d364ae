"""Database, SQLite and PostgreSQL: reading, group commits, work that fails alone, closing."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from database import DatabaseError
from database.database import MOST_WRITES_PER_TRANSACTION, Database, Work
from tests.support.notes_table import all_notes, database_with_notes, note, notes


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with database_with_notes(database_url) as opened:
        yield opened


async def test_what_was_written_is_read(database: Database, database_url: str):
    assert await database.write(note("here")) == "here"
    assert await database.read(all_notes) == ["here"]
    async with database_with_notes(database_url) as another:
        assert await another.read(all_notes) == ["here"]


async def test_reading_changes_nothing(database: Database):
    await database.read(note("lost"))
    assert await database.read(all_notes) == []


async def test_many_writes_share_few_commits(database: Database):
    commits = 0

    def count(connection: sa.Connection) -> None:
        nonlocal commits
        commits += 1

    held, go_on = threading.Event(), threading.Event()

    def slow(connection: sa.Connection) -> None:
        held.set()
        sa.event.listen(connection.engine, "commit", count)
        assert go_on.wait(10)

    first = asyncio.create_task(database.write(slow))
    await asyncio.to_thread(held.wait, 10)
    rest = [asyncio.create_task(database.write(note(f"{each:03}"))) for each in range(500)]
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(first, *rest)
    assert commits == 1 + -(-500 // MOST_WRITES_PER_TRANSACTION)
    assert len(await database.read(all_notes)) == 500


async def test_a_write_that_fails_fails_alone(database: Database):
    def twice(connection: sa.Connection) -> None:
        connection.execute(sa.insert(notes).values(id="twice"))
        connection.execute(sa.insert(notes).values(id="twice"))

    def empty(connection: sa.Connection) -> None:
        next(iter(connection.execute(sa.select(notes).where(notes.c.id == "nobody"))))

    def slip(connection: sa.Connection) -> None:
        connection.exec_driver_sql("SELECT nonsense FROM nowhere")

    outcomes = await asyncio.gather(
        database.write(note("a")),
        database.write(twice),
        database.write(note("b")),
        database.write(empty),
        database.write(slip),
        database.write(note("c")),
        return_exceptions=True,
    )
    assert [type(each) for each in outcomes[:4]] == [str, sa.exc.IntegrityError, str, RuntimeError]
    assert isinstance(outcomes[4], sa.exc.ProgrammingError | sa.exc.OperationalError)
    assert await database.read(all_notes) == ["a", "b", "c"]
    with pytest.raises(RuntimeError, match="isn't there"):
        await database.read(empty)


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_an_error_that_is_swallowed_swallows_nothing_else(database: Database, place: int):
    """PostgreSQL would silently roll back the whole transaction at its end."""

    def swallow(connection: sa.Connection) -> None:
        note("swallowed")(connection)
        with contextlib.suppress(sa.exc.IntegrityError):
            connection.execute(sa.insert(notes).values(id="swallowed"))

    works: list[Work[object]] = [note("before"), note("after")]
    works.insert(place, swallow)
    outcomes = await asyncio.gather(*map(database.write, works), return_exceptions=True)
    swallowed = outcomes.pop(place)
    assert outcomes == ["before", "after"]
    found = await database.read(all_notes)
    if "file" in repr(database):
        assert found == ["after", "before", "swallowed"]
    else:
        assert found == ["after", "before"]
        assert "savepoint" in str(swallowed)


async def test_an_error_in_a_savepoint_may_be_swallowed(database: Database):
    def careful(connection: sa.Connection) -> None:
        note("careful")(connection)
        with contextlib.suppress(sa.exc.IntegrityError), connection.begin_nested():
            connection.execute(sa.insert(notes).values(id="careful"))

    await asyncio.gather(database.write(note("before")), database.write(careful))
    assert await database.read(all_notes) == ["before", "careful"]


async def test_an_error_quotes_no_values(database: Database):
    with pytest.raises(sa.exc.DBAPIError) as raised:
        await database.write(
            lambda connection: connection.execute(
                sa.text("INSERT INTO nowhere VALUES (:number)"), {"number": "+14155550100"}
            )
        )
    assert "+14155550100" not in str(raised.value)


async def test_a_canceled_caller_disturbs_no_other(database: Database):
    held, go_on = threading.Event(), threading.Event()

    def slow(connection: sa.Connection) -> None:
        held.set()
        assert go_on.wait(10)

    first = asyncio.create_task(database.write(slow))
    await asyncio.to_thread(held.wait, 10)
    given_up = asyncio.create_task(database.write(note("given up")))
    kept = asyncio.create_task(database.write(note("kept")))
    await asyncio.sleep(0)
    first.cancel()
    given_up.cancel()
    await asyncio.sleep(0)
    go_on.set()
    assert await kept == "kept"
    assert "kept" in await database.read(all_notes)


async def test_closing_finishes_what_was_handed_in(
    database_url: str, monkeypatch: pytest.MonkeyPatch
):
    # Closing doesn't wait for long, and a busy machine may need longer for hundreds of writes.
    monkeypatch.setattr("database.database.CLOSE_TIMEOUT_SECONDS", 60)
    async with database_with_notes(database_url) as database:
        writing = [asyncio.create_task(database.write(note(f"{each:03}"))) for each in range(450)]
        await asyncio.sleep(0)
        await database.close()
        assert [await each for each in writing] == [f"{each:03}" for each in range(450)]
        for refused in (database.read(all_notes), database.write(note("late"))):
            with pytest.raises(DatabaseError, match="closed"):
                await refused
    async with database_with_notes(database_url) as again:
        assert len(await again.read(all_notes)) == 450


async def test_before_it_is_open_nothing_works(database_url: str):
    database = Database(database_url)
    for refused in (database.read(all_notes), database.write(note("early"))):
        with pytest.raises(DatabaseError, match="open"):
            await refused
    await database.close()


async def test_sqlite_keeps_every_promise(tmp_path: Path):
    async with database_with_notes(f"sqlite:///{tmp_path}/new/x.sqlite") as database:

        def pragmas(connection: sa.Connection) -> list[object]:
            names = ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
            return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

        assert await database.read(pragmas) == ["wal", 2, 30_000, 1]
        assert await database.write(pragmas) == ["wal", 2, 30_000, 1]


async def test_a_relative_path_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    database = Database("sqlite:///data/x.sqlite")
    monkeypatch.chdir("/")
    await database.open()
    await database.close()
    assert (tmp_path / "data" / "x.sqlite").is_file()
    assert repr(database) == f"<Database: the file {tmp_path}/data/x.sqlite>"
