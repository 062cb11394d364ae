"""Which revision a database is at, and how to upgrade it to the latest."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from database import NewerDatabase
from database.transactions import (
    LIMIT_MIGRATION,
    REVISION,
    REVISION_TABLE,
    begin_writing,
    run_outside_transactions,
)

VERSIONS = Path(__file__).parent / "versions"
# A number that no other program is likely to use.
POSTGRESQL_LOCK = 7_305_128_461_290_033_517
_ONE_AT_A_TIME = threading.Lock()


def bring_up_to_date(engine: sa.Engine, versions: Path = VERSIONS) -> str:
    """Migrate the database and its rows to the latest revision in `versions`, and return that.

    If several processes start together, one does it and the others wait. Raises `NewerDatabase` for
    a database that a newer Callboard has used.
    """
    latest = revisions_in(versions)[-1]
    with engine.connect() as connection:
        if _known_revision(connection, versions) == latest:
            return latest
    with _alone(engine) as connection:
        if _known_revision(connection, versions) != latest:
            upgrade(connection, versions)
    return latest


def check_that_it_can_be_written(engine: sa.Engine) -> None:
    """Raise SQLAlchemy's error if the database is read-only."""
    with engine.connect() as connection, connection.begin() as undone:
        begin_writing(connection)
        number = REVISION_TABLE.c.version_num
        connection.execute(sa.update(REVISION_TABLE).values({number: number}))
        undone.rollback()


def revisions_in(versions: Path) -> list[str]:
    """Return the revisions, oldest first; file names begin with them."""
    return sorted(each.name.split("_")[0] for each in versions.glob("[0-9]*_*.py"))


def revision_of(connection: sa.Connection) -> str | None:
    """Return the revision that a database is at; None if it has none of our tables yet."""
    if not sa.inspect(connection).has_table(REVISION_TABLE.name):
        return None
    return connection.scalar(REVISION)


def _known_revision(connection: sa.Connection, versions: Path) -> str | None:
    revision = revision_of(connection)
    if revision is not None and revision not in revisions_in(versions):
        raise NewerDatabase(
            f"DATABASE_URL names a database that a newer version of Callboard has used "
            f"(revision {revision}): update Callboard."
        )
    return revision


@contextmanager
def _alone(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that only one process can be in at a time."""
    with engine.connect() as connection:
        connection.detach()
        if engine.dialect.name == "sqlite":
            _let_tables_be_replaced(connection)
        with connection.begin():
            begin_writing(connection)
            if engine.dialect.name == "postgresql":
                # Wait for as long as another process needs to migrate.
                connection.exec_driver_sql(LIMIT_MIGRATION)
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(POSTGRESQL_LOCK)))
                if revision_of(connection) is not None:
                    # Wait for transactions that have read the revision and are about to write.
                    connection.exec_driver_sql(f"LOCK TABLE {REVISION_TABLE.name}")
            yield connection
            if engine.dialect.name == "sqlite":
                _check_references(connection)


def _let_tables_be_replaced(connection: sa.Connection) -> None:
    """Let a migration drop and replace a SQLite table without losing the rows that refer to it.

    https://www.sqlite.org/lang_altertable.html#otheralter
    """
    run_outside_transactions(connection, "PRAGMA foreign_keys = OFF")


def _check_references(connection: sa.Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise RuntimeError(f"a migration left rows of {broken[0]} without those they refer to")


def upgrade(connection: sa.Connection, versions: Path) -> None:
    """Run every revision in `versions` that the database lacks, in the connection's transaction."""
    # Alembic takes 150 ms to import, and is rarely needed.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    # A % in a path has to be doubled in Alembic's options.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(versions).replace("%", "%%"))
    config.attributes["connection"] = connection
    # Alembic keeps the migration that is running in a global variable.
    with _ONE_AT_A_TIME:
        command.upgrade(config, "head")
