"""The migrations end at the tables that the code expects."""

from __future__ import annotations

import importlib.util

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from alerts.database.migrations import bring_up_to_date
from alerts.database.migrations.revisions import REVISION_TABLE, VERSIONS, revisions_in
from alerts.database.tables import metadata
from tests.alerts_tables import tables_in


def test_the_tables_are_those_of_the_code(engine: sa.Engine):
    bring_up_to_date(engine)
    assert set(sa.inspect(engine).get_table_names()) == {*metadata.tables, REVISION_TABLE.name}
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": REVISION_TABLE.name, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []
    migrated = tables_in(engine)
    # Alembic looks past primary keys and the conditions of indexes.
    with engine.begin() as connection:
        metadata.drop_all(connection)
        metadata.create_all(connection)
    assert migrated == tables_in(engine)


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
