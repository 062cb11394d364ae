"""The migrations lead to the tables that the code expects."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from access import tables as _access  # noqa: F401 - adds its tables to the metadata
from alerts.claims import ARE_DUE, CLAIMABLE, CLAIMING_WORKERS, IDS_CLAIMED_BY_WORKER
from alerts.reports import read_pulse
from alerts.tables import alerts, events, submissions
from database.connecting import engine_for, parsed
from database.migrations import bring_up_to_date
from database.migrations.revisions import VERSIONS, revisions_in
from database.tables import metadata
from database.transactions import REVISION_TABLE
from people import tables as _people  # noqa: F401 - adds its tables to the metadata
from rules import overview
from rules import tables as _rules  # noqa: F401 - adds its tables to the metadata
from rules.rule import Rule
from tests.support.described_tables import tables_in


def test_the_tables_are_those_of_the_code(engine: sa.Engine):
    bring_up_to_date(engine)
    found = set(filter(is_a_table_of_rows, sa.inspect(engine).get_table_names()))
    assert found == {*metadata.tables, REVISION_TABLE.name}
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "version_table": REVISION_TABLE.name,
                "compare_server_default": True,
                "include_name": lambda name, kind, _: kind != "table" or is_a_table_of_rows(name),
            },
        )
        assert compare_metadata(context, metadata) == []
    migrated = tables_in(engine)
    # Alembic's comparison ignores primary keys and the conditions of indexes.
    with engine.begin() as connection:
        metadata.drop_all(connection)
        metadata.create_all(connection)
    assert migrated == tables_in(engine)


def is_a_table_of_rows(name: str) -> bool:
    """Whether it isn't the index of words, which each database has in a way of its own."""
    return not name.startswith("alert_words")


def test_no_index_of_every_row_begins_with_the_account():
    # PostgreSQL would take it for the primary key: with 30,000 alerts an event took 5 ms, not 1 ms.
    for table in (alerts, events, submissions):
        assert next(iter(table.primary_key)).name != "account_sid"
        for index in table.indexes:
            is_partial = index.dialect_options["postgresql"]["where"] is not None
            assert is_partial or index.columns[0].name != "account_sid"


def statements_of(connection: sa.Connection) -> list[tuple[str, Any]]:
    """A list that gets each statement that the connection executes, with its parameters."""
    asked: list[tuple[str, Any]] = []

    @sa.event.listens_for(connection, "before_cursor_execute")
    def remember(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        asked.append((statement, parameters))

    return asked


def test_sqlite_finds_what_is_waiting_without_reading_all(tmp_path: Path):
    engine = engine_for(parsed(f"sqlite:///{tmp_path / 'callboard.sqlite'}"), 1)
    bring_up_to_date(engine)
    with engine.connect() as connection:
        asked = statements_of(connection)
        wanted = {"account": "AC1", "now": 0.0, "most": 50, "worker": "w"}
        for query in (ARE_DUE, CLAIMABLE, CLAIMING_WORKERS, IDS_CLAIMED_BY_WORKER):
            connection.execute(query, wanted)
        selects = [each for each in asked if each[0].startswith("SELECT")]
        assert len(selects) == 4
        for statement, parameters in selects:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            assert "alerts_open" in plan[0].detail
    engine.dispose()


def test_sqlite_finds_what_is_open_without_reading_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """SQLAlchemy writes a truth value as the conditions of the indexes have it: `is_open = 1`."""
    monkeypatch.setattr(overview, "read_rules", lambda *_: [Rule(id="one")])
    engine = engine_for(parsed(f"sqlite:///{tmp_path / 'callboard.sqlite'}"), 1)
    bring_up_to_date(engine)
    with engine.connect() as connection:
        asked = statements_of(connection)
        read_pulse(connection, "AC1")
        overview.read_facts(connection, "AC1", "UTC")
        of_open = [each for each in asked if "is_open =" in each[0]]
        assert len(of_open) == 3
        for (statement, parameters), index in zip(
            of_open, ("alerts_open", "episodes_open", "episodes_over"), strict=True
        ):
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            assert index in plan[0].detail
    engine.dispose()


def test_each_file_is_named_for_its_revision():
    found: list[str] = []
    for file in sorted(VERSIONS.glob("*.py")):
        spec = importlib.util.spec_from_file_location(file.stem, file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        assert module.down_revision == (found[-1] if found else None)
        found.append(module.revision)
    assert found == revisions_in(VERSIONS)
