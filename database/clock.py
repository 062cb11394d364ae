"""The time that all processes on one database agree on."""

from __future__ import annotations

import time

import sqlalchemy as sa

POSTGRESQL_NOW = sa.select(sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Double))


def database_time(connection: sa.Connection) -> float:
    """Return the seconds since 1970 by the database's clock.

    Machines that share a PostgreSQL may disagree on the time. SQLite is used from one machine only.
    """
    if connection.dialect.name == "postgresql":
        return float(connection.scalar(POSTGRESQL_NOW) or 0.0)
    return time.time()
