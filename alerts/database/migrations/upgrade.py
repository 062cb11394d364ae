"""Alembic, run from here: there is no alembic.ini."""

from __future__ import annotations

import threading
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

ONE_AT_A_TIME = threading.Lock()


def upgrade(connection: sa.Connection, versions: Path) -> None:
    """Run every revision in `versions` that the database lacks, in the connection's transaction."""
    config = Config()
    # As an option it may not hold a %, as paths may.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(versions).replace("%", "%%"))
    config.attributes["connection"] = connection
    # Alembic keeps what it is working on in its module.
    with ONE_AT_A_TIME:
        command.upgrade(config, "head")
