"""A process that hangs in the middle of a transaction doesn't keep others from writing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from database import transactions
from database.connecting import engine_for, parsed
from database.errors import is_passing
from database.transactions import begin_writing, limits
from tests.support.direct_sql import writing
from tests.support.notes_table import notes
from tests.support.postgres import PostgresServer, fresh_database

pytestmark = pytest.mark.slow

ONE, TWO = {"id": "one"}, {"id": "two"}


@pytest.fixture
def engine(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> sa.Engine:
    # Not shorter: on a busy machine what begins the other transaction may take a second.
    hurried = limits(idle="8s", lock="8s", whole="3s")
    monkeypatch.setattr(transactions, "LIMIT_TRANSACTION", hurried)
    engine = engine_for(parsed(fresh_database(postgres)), None)
    notes.create(engine)
    return engine


def write_one(connection: sa.Connection) -> None:
    connection.execute(sa.insert(notes), ONE)


def write_many(connection: sa.Connection) -> None:
    connection.execute(sa.insert(notes), [ONE, TWO])


def change_many(connection: sa.Connection) -> None:
    write_many(connection)
    changed = sa.update(notes).where(notes.c.id == sa.bindparam("old")).values(id="x")
    connection.execute(changed, [{"old": "none"}, {"old": "two"}])


def look(connection: sa.Connection) -> None:
    write_one(connection)
    connection.execute(sa.select(notes)).all()


def begin_a_pipeline(connection: sa.Connection) -> None:
    """Send some statements of several, as when it hangs within SQLAlchemy's `executemany`."""
    driver: Any = connection.connection.driver_connection
    pipeline = driver.pipeline()
    pipeline.__enter__()
    driver.execute("INSERT INTO notes VALUES ('one')")
    driver.pgconn.send_flush_request()
    driver.pgconn.flush()


@pytest.mark.parametrize("work", [write_one, write_many, change_many, look, begin_a_pipeline])
def test_it_is_ended(engine: sa.Engine, work: Callable[[sa.Connection], Any]):
    hanging = engine.connect()
    hanging.begin()
    begin_writing(hanging)
    work(hanging)
    began = time.monotonic()
    with writing(engine) as other:
        # It begins only a moment later, and waits for nearly as long as it might last.
        other.exec_driver_sql("SET LOCAL transaction_timeout = '30s'")
        write_one(other)  # waits for the other transaction, because the key is unique
    assert time.monotonic() - began < 30
    if work is not begin_a_pipeline:
        with pytest.raises(sa.exc.DBAPIError) as raised:
            write_one(hanging)
        assert is_passing(raised.value)
    hanging.invalidate()


def test_a_wait_for_a_lock_ends_and_passes(engine: sa.Engine):
    """Another program holds it, without limits."""
    with engine.connect() as busy, busy.begin():
        write_one(busy)
        with (
            pytest.raises(sa.exc.DBAPIError) as raised,
            writing(engine) as other,
        ):
            write_one(other)
    assert is_passing(raised.value)
