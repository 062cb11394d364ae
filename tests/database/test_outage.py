"""A database that can't be reached for a while: all work waits, and nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from database import DatabaseError, transactions
from database import connecting as database_url
from database import database as database_module
from database.connecting import engine_for, parsed
from database.database import Database
from tests.support.direct_sql import writing
from tests.support.lossy_postgres import lossy_proxy
from tests.support.notes_table import all_notes, database_with_notes, note, notes
from tests.support.postgres import PostgresServer, fresh_database, start, stop
from tests.support.waiting import until

pytestmark = pytest.mark.slow


def _sentences(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [
        (each.levelname, each.getMessage())
        for each in caplog.records
        if "database.database" in each.name
    ]


async def test_a_server_that_stops_and_starts(
    restartable: PostgresServer, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    async with database_with_notes(fresh_database(restartable)) as database:
        await asyncio.to_thread(stop, restartable)
        writing = [asyncio.create_task(database.write(note(f"{each:03}"))) for each in range(300)]
        reading = asyncio.create_task(database.read(all_notes))
        await until(lambda: len(_sentences(caplog)) == 1)
        await asyncio.sleep(0.3)
        assert not any(each.done() for each in (*writing, reading))
        await asyncio.to_thread(start, restartable)
        await asyncio.gather(*writing, reading)
        assert len(await database.read(all_notes)) == 300
    begin, end = _sentences(caplog)
    assert begin[0] == "WARNING"
    assert begin[1].startswith("Waiting for the database test_")
    assert end[0] == "INFO"
    assert end[1].startswith("No longer waiting for the database test_")


async def test_a_connection_that_died_meanwhile_isnt_noticed(
    restartable: PostgresServer, caplog: pytest.LogCaptureFixture
):
    async with database_with_notes(fresh_database(restartable)) as database:
        await asyncio.gather(*(database.read(all_notes) for _ in range(10)))
        await asyncio.to_thread(stop, restartable)
        await asyncio.to_thread(start, restartable)
        await database.write(note("on a new connection"))
        await asyncio.gather(*(database.read(all_notes) for _ in range(10)))
    assert _sentences(caplog) == []


async def test_a_server_that_crashes_in_the_middle_of_a_transaction(restartable: PostgresServer):
    times = 0

    def crash_once(connection: sa.Connection) -> None:
        nonlocal times
        times += 1
        note("in the middle")(connection)
        if times == 1:
            stop(restartable, "immediate")
            start(restartable)

    async with database_with_notes(fresh_database(restartable)) as database:
        await asyncio.gather(
            database.write(note("before")),
            database.write(crash_once),
            database.write(note("after")),
        )
        assert times == 2
        assert await database.read(all_notes) == ["after", "before", "in the middle"]


@pytest.mark.parametrize("asked", [b"INSERT", b"COMMIT"])
async def test_a_connection_that_breaks_before_the_answer(postgres: PostgresServer, asked: bytes):
    """The commit went through but wasn't confirmed: the work runs again, and finds its note."""
    url = fresh_database(postgres)
    times = 0

    def counted(connection: sa.Connection) -> None:
        nonlocal times
        times += 1
        note("once")(connection)

    with lossy_proxy(url) as proxy:
        async with database_with_notes(proxy.url) as database:
            proxy.lose_the_answer_to(asked)
            await database.write(counted)
            assert times == 2
            assert await database.read(all_notes) == ["once"]


async def test_a_file_that_is_being_written_as_it_is_opened(tmp_path: Path):
    """SQLite refuses at once to change the journal mode of such a file, whatever the timeout."""
    other_process = sqlite3.connect(tmp_path / "x.sqlite", isolation_level=None)
    other_process.execute("BEGIN IMMEDIATE")
    database = Database(f"sqlite:///{tmp_path}/x.sqlite")
    opening = asyncio.create_task(database.open())
    await asyncio.wait({opening}, timeout=0.3)
    assert not opening.done()
    other_process.execute("ROLLBACK")
    other_process.close()
    await opening
    await database.close()


async def test_closing_gives_up_on_a_server_that_stays_away(
    restartable: PostgresServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(database_module, "CLOSE_TIMEOUT_SECONDS", 0.3)
    async with database_with_notes(fresh_database(restartable)) as database:
        await asyncio.to_thread(stop, restartable)
        writing = asyncio.create_task(database.write(note("too late")))
        reading = asyncio.create_task(database.read(all_notes))
        await asyncio.sleep(0.05)
        await database.close()
        for each in (writing, reading):
            with pytest.raises(DatabaseError, match="closed"):
                await each


async def test_a_file_that_another_process_writes_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(database_url, "SQLITE_BUSY_TIMEOUT_SECONDS", 0.05)
    file = tmp_path / "Data" / "Callboard.sqlite"
    async with database_with_notes(f"sqlite:///{file}") as database:
        other_process = sqlite3.connect(file, isolation_level=None)
        other_process.execute("BEGIN IMMEDIATE")
        writing = asyncio.create_task(database.write(note("patient")))
        await until(lambda: len(_sentences(caplog)) == 1)
        assert await database.read(all_notes) == []
        other_process.execute("ROLLBACK")
        other_process.close()
        assert await writing == "patient"
    assert _sentences(caplog) == [
        ("WARNING", f"Waiting for the file {file}: database is locked."),
        ("INFO", f"No longer waiting for the file {file}."),
    ]


@pytest.mark.parametrize("statement", ["SELECT * FROM nowhere", "SELECT 1 +"])
async def test_what_waiting_wouldnt_cure_is_raised(database_url: str, statement: str):
    async with database_with_notes(database_url) as database:
        for door in (database.read, database.write):
            with pytest.raises(sa.exc.DBAPIError):
                await asyncio.wait_for(door(lambda c: c.exec_driver_sql(statement).all()), 10)


async def test_the_loop_goes_on_while_work_runs(database_url: str):
    waiting, go_on = threading.Barrier(3), threading.Event()

    def wait(connection: sa.Connection) -> bool:
        waiting.wait(10)
        return go_on.wait(10)

    async with database_with_notes(database_url) as database:
        working = asyncio.gather(database.write(wait), database.read(wait))
        await asyncio.to_thread(waiting.wait, 10)
        go_on.set()
        assert list(await working) == [True, True]


def _think(connection: sa.Connection) -> None:
    time.sleep(1)


def _wait_for_the_server(connection: sa.Connection) -> None:
    connection.exec_driver_sql("SELECT pg_sleep(1)")


def _write_slowly(connection: sa.Connection) -> None:
    """Many statements in a pipeline."""
    slow = sa.text("INSERT INTO notes SELECT :id FROM pg_sleep(0.01)")
    connection.execute(slow, [{"id": f"{each:03}"} for each in range(100)])


@pytest.mark.parametrize("work", [_think, _wait_for_the_server, _write_slowly])
async def test_work_that_takes_long_is_done_all_the_same(
    postgres: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
    work: Callable[[sa.Connection], None],
):
    """PostgreSQL ends its first transaction, as it does if a process stands still in the middle."""
    times = 0

    def counted(connection: sa.Connection) -> None:
        nonlocal times
        times += 1
        work(connection)

    hurried = transactions.limits(idle="300ms", lock="5s", whole="500ms")
    async with database_with_notes(fresh_database(postgres)) as database:
        monkeypatch.setattr(transactions, "LIMIT_TRANSACTION", hurried)
        monkeypatch.setattr(database_module, "SHORTEST_LIMIT_SECONDS", 0.3)
        writes = [note("before"), counted, note("after")]
        await asyncio.wait_for(asyncio.gather(*map(database.write, writes)), 20)
        assert times == 2
        assert {"before", "after"} <= set(await database.read(all_notes))


async def test_what_is_committed_is_not_done_again_because_of_what_comes_after_it(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
):
    """The second one takes too long, and then the connection is cut while it is done alone."""
    firsts = seconds = 0

    def first(connection: sa.Connection) -> None:
        nonlocal firsts
        firsts += 1

    def second(connection: sa.Connection) -> None:
        nonlocal seconds
        seconds += 1
        if seconds == 1:
            time.sleep(1)
        if seconds == 2:
            connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")

    hurried = transactions.limits(idle="300ms", lock="5s", whole="500ms")
    async with database_with_notes(fresh_database(postgres)) as database:
        monkeypatch.setattr(transactions, "LIMIT_TRANSACTION", hurried)
        monkeypatch.setattr(database_module, "SHORTEST_LIMIT_SECONDS", 0.3)
        writes = [first, second, note("after")]
        await asyncio.wait_for(asyncio.gather(*map(database.write, writes)), 20)
        # In the transaction that was ended, and in one that was committed.
        assert (firsts, seconds) == (2, 3)
        assert await database.read(all_notes) == ["after"]


async def test_a_lock_that_another_program_holds_is_waited_for(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
):
    """Until it is free, nothing of the transaction is committed, and then all of it, once."""
    url = fresh_database(postgres)
    times = 0

    def add(connection: sa.Connection) -> None:
        nonlocal times
        times += 1
        connection.execute(sa.insert(notes).values(id=f"{times}"))

    def change(connection: sa.Connection) -> None:
        connection.execute(sa.update(notes).where(notes.c.id == "busy").values(id="changed"))

    async with database_with_notes(url) as database:
        await database.write(note("busy"))
        hurried = transactions.limits(idle="5s", lock="200ms", whole="5s")
        monkeypatch.setattr(transactions, "LIMIT_TRANSACTION", hurried)
        monkeypatch.setattr(transactions, "LIMIT_LONG_TRANSACTION", hurried)
        monkeypatch.setattr(database_module, "SHORTEST_LIMIT_SECONDS", 0.1)
        engine = engine_for(parsed(url), None)
        with writing(engine) as other:
            other.execute(sa.select(notes).where(notes.c.id == "busy").with_for_update())
            working = asyncio.gather(database.write(add), database.write(change))
            await until(lambda: times > 2)
        await asyncio.wait_for(working, 10)
        engine.dispose()
        assert await database.read(all_notes) == [f"{times}", "changed"]
