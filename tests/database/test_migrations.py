"""Migrating from one revision to the next: all rows are kept, or nothing is changed."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from alerts.tables import alerts, events
from database import DatabaseError
from database.connecting import engine_for, parsed
from database.database import Database
from database.migrations import bring_up_to_date
from database.migrations.revisions import VERSIONS, revision_of, revisions_in
from tests.support.described_tables import tables_in
from tests.support.direct_sql import writing
from tests.support.postgres import PostgresServer, fresh_database

ALERT = {
    "id": "morning",
    "account_sid": "AC1",
    "created_at": 1.5,
    "request": {"to": "+14155550100"},
    "from_number": "+14155550101",
    "not_before": 0.0,
    "sender": "ann",
    "person": "bob",
    "revision": 1,
    "status": "queued",
    "is_open": True,
    "due_at": 0.0,
    "since": 1.5,
    "try_number": 1,
    "channel": "call",
    "to_number": "+14155550100",
    "canceling": False,
}
EVENT = {
    "account_sid": "AC1",
    "alert_id": "morning",
    "number": 1,
    "at": 1.5,
    "try_number": 1,
    "source": "desk",
    "note": "written",
    "canceling": False,
    "news": True,
}

LATER = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "LATEST"


def upgrade():
    with op.batch_alter_table("alerts") as alerts:
        alerts.add_column(sa.Column("color", sa.Text, nullable=False, server_default="red"))
        alerts.alter_column("sender", new_column_name="author")
        alerts.alter_column("person", nullable=True)
"""

LATER = LATER.replace("LATEST", revisions_in(VERSIONS)[-1])
DELETING = '    op.execute("DELETE FROM alerts")\n'


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """A folder with the present revisions and one more."""
    versions = Path(shutil.copytree(VERSIONS, tmp_path / "100 % of them"))
    (versions / "9999_later.py").write_text(LATER)
    return versions


def test_tables_of_others_are_left_alone(engine: sa.Engine):
    theirs = [
        sa.Table(name, sa.MetaData(), sa.Column("version_num", sa.Text))
        for name in ("workflow_status", "alembic_version")
    ]
    with writing(engine) as connection:
        for table in theirs:
            table.create(connection)
            connection.execute(sa.insert(table).values(version_num="theirs"))
    bring_up_to_date(engine)
    with engine.connect() as connection:
        for table in theirs:
            assert connection.execute(sa.select(table)).all() == [("theirs",)]


def test_a_later_revision_keeps_what_is_there(engine: sa.Engine, later: Path):
    bring_up_to_date(engine)
    with writing(engine) as connection:
        connection.execute(sa.insert(alerts).values(ALERT))
        connection.execute(sa.insert(events).values(EVENT))
    bring_up_to_date(engine, later)
    with engine.connect() as connection:
        assert revision_of(connection) == "9999"
        kept = connection.exec_driver_sql("SELECT id, author, color FROM alerts").all()
        assert kept == [("morning", "ann", "red")]
        assert connection.scalar(sa.select(events.c.note)) == "written"
    indexes = {each["name"]: each for each in sa.inspect(engine).get_indexes("alerts")}
    assert indexes["alerts_by_sender"]["column_names"] == [
        "author",
        "account_sid",
        "stage",
        "channel",
        "position",
        "broadcast_id",
    ]
    assert indexes["alerts_open"]["dialect_options"]
    with pytest.raises(sa.exc.IntegrityError), engine.begin() as connection:
        connection.execute(sa.insert(events).values({**EVENT, "alert_id": "unknown"}))


def test_a_revision_that_fails_changes_nothing(engine: sa.Engine, later: Path):
    bring_up_to_date(engine)
    with writing(engine) as connection:
        connection.execute(sa.insert(alerts).values(ALERT))
    before = tables_in(engine)
    (later / "9999_later.py").write_text(LATER + '    raise RuntimeError("half-way")\n')
    with pytest.raises(RuntimeError, match="half-way"):
        bring_up_to_date(engine, later)
    assert tables_in(engine) == before
    with engine.connect() as connection:
        assert revision_of(connection) == revisions_in(VERSIONS)[-1]
        assert connection.scalar(sa.select(alerts.c.sender)) == "ann"


@pytest.mark.slow
def test_a_revision_may_compute_for_long(postgres: PostgresServer, later: Path):
    """PostgreSQL ends other transactions that are idle for 5 s."""
    engine = engine_for(parsed(fresh_database(postgres)), None)
    (later / "9999_later.py").write_text(LATER + "    __import__('time').sleep(6)\n")
    assert bring_up_to_date(engine, later) == "9999"


def test_a_revision_may_orphan_nothing(tmp_path: Path, later: Path):
    engine = engine_for(parsed(f"sqlite:///{tmp_path}/x.sqlite"), 2)
    bring_up_to_date(engine)
    with writing(engine) as connection:
        connection.execute(sa.insert(alerts).values(ALERT))
        connection.execute(sa.insert(events).values(EVENT))
    (later / "9999_later.py").write_text(LATER + DELETING)
    with pytest.raises(RuntimeError, match="events"):
        bring_up_to_date(engine, later)
    with engine.connect() as connection:
        assert connection.scalar(sa.select(alerts.c.sender)) == "ann"
    engine.dispose()


async def test_a_database_of_a_newer_version_is_left_alone(
    database_url: str, engine: sa.Engine, later: Path
):
    bring_up_to_date(engine, later)
    with pytest.raises(DatabaseError, match=r"newer version .*9999.*: update Callboard\.$"):
        await Database(database_url).open()


async def test_it_is_migrated_when_it_is_opened(database_url: str):
    database = Database(database_url)
    await database.open()
    assert await asyncio.wait_for(database.read(revision_of), 10) == revisions_in(VERSIONS)[-1]
    await database.close()
