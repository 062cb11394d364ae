"""Sources in PostgreSQL, from a real server."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest

from rules.sources import postgresql_query
from tests.rules.sources.conftest import Lab
from tests.support.pgbouncer import pgbouncer, program
from tests.support.postgres import PostgresServer, fresh_database, start, stop
from tests.support.servers import free_port

TABLE = """
CREATE TABLE tastings (
    batch text, beer varchar(40), ppb integer, ratio numeric(9,2), free numeric,
    ph double precision, ok boolean, tasted_at timestamptz,
    at timestamp, day date, tags text[], id uuid, more jsonb
);
INSERT INTO tastings VALUES
    ('0042', 'Märzen, "dry"', 148, 1.50, 2.25, 4.5, true, '2026-11-01 10:00:00+02',
     '2026-11-01 10:00:00.25', '2026-11-01', '{a,b}',
     '00000000-0000-0000-0000-000000000001', '{"a": 1}'),
    ('', NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL, NULL);
"""
PASSWORD = "h/u:n@t#er%2"


@pytest.fixture
def database(postgres: PostgresServer, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a database with tastings, which `${SOURCE_LAB_URL}` names."""
    monkeypatch.setattr("rules.sources.sources.REUSE_SECONDS", 0)
    url = fresh_database(postgres)
    with psycopg.connect(url) as connection:
        connection.execute(TABLE.encode())
    lab.values["SOURCE_LAB_URL"] = url
    return url


def toml(query: str) -> str:
    return f"[lab]\npostgresql = '${{SOURCE_LAB_URL}}'\nquery = '''{query}'''\n"


def execute(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


async def test_rows_and_types(lab: Lab, database: str):
    lab.open(toml("SELECT * FROM tastings ORDER BY batch DESC;"))

    assert await lab.types() == {
        "batch": "VARCHAR",
        "beer": "VARCHAR",
        "ppb": "INTEGER",
        "ratio": "DECIMAL(9,2)",
        "free": "DOUBLE",
        "ph": "DOUBLE",
        "ok": "BOOLEAN",
        "tasted_at": "TIMESTAMP WITH TIME ZONE",
        "at": "TIMESTAMP",
        "day": "DATE",
        "tags": "VARCHAR",
        "id": "UUID",
        "more": "VARCHAR",
    }
    first, second = await lab.rows()
    assert first == (
        "0042", 'Märzen, "dry"', 148, "1.50", 2.25, 4.5, True, "2026-11-01 08:00:00+00",
        "2026-11-01 10:00:00.25", "2026-11-01", "{a,b}", "00000000-0000-0000-0000-000000000001",
        '{"a": 1}',
    )  # fmt: skip
    assert second == ("", *[None] * 5, False, *[None] * 6)


async def test_settings_of_the_role_change_nothing(lab: Lab, database: str):
    name = execute(database, "SELECT current_database()")[0][0]
    for each in (
        "datestyle = 'German, DMY'",
        "timezone = 'Asia/Tokyo'",
        "extra_float_digits = -10",
    ):
        execute(database, f"ALTER DATABASE {name} SET {each}")
    lab.open(toml("SELECT tasted_at, day, 0.1::float8 + 0.2 AS sum FROM tastings LIMIT 1"))

    assert await lab.rows() == [("2026-11-01 08:00:00+00", "2026-11-01", 0.30000000000000004)]


async def test_the_same_rows_are_the_same(lab: Lab, database: str):
    lab.open(toml("SELECT batch, ppb FROM tastings ORDER BY 1"))
    first = await lab.snapshot()
    lab.open()
    assert (await lab.snapshot()).fingerprint == first.fingerprint

    execute(database, "UPDATE tastings SET ppb = 149 WHERE batch = '0042'")
    second = await lab.snapshot()
    assert second.fingerprint != first.fingerprint
    assert second.newest_at is not None
    assert first.newest_at is not None
    assert second.newest_at > first.newest_at


async def test_a_query_with_a_comment_at_its_end(lab: Lab, database: str):
    lab.open(toml("SELECT batch FROM tastings WHERE ppb > 1 -- only the bad ones"))
    assert await lab.rows() == [("0042",)]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("SELECT nothing FROM tastings", 'PostgreSQL: column "nothing" does not exist'),
        ("SELEC 1", "PostgreSQL: syntax error"),
        ("DELETE FROM tastings RETURNING batch", "PostgreSQL: "),
        ("SELECT nextval('numbers')", "its query must only read"),
        ("SELECT batch, beer AS batch FROM tastings", "two columns of its query are called batch"),
        ("SELECT 1) TO PROGRAM 'touch /'; SELECT (1", "PostgreSQL: syntax error"),
    ],
)
async def test_queries_that_can_not_be_asked(lab: Lab, database: str, query: str, sentence: str):
    execute(database, "CREATE SEQUENCE numbers")
    lab.open(toml(query))

    assert sentence in await lab.problem()
    assert execute(database, "SELECT count(*) FROM tastings") == [(2,)]


async def test_a_query_that_takes_too_long(
    lab: Lab, database: str, monkeypatch: pytest.MonkeyPatch
):
    limits = postgresql_query.LIMITS.replace(
        "'statement_timeout', '60s'", "'statement_timeout', '1'"
    )
    monkeypatch.setattr(postgresql_query, "LIMITS", limits)
    lab.open(toml("SELECT count(*) FROM generate_series(1, 100000000)"))

    assert "its query takes longer than 60 s" in await lab.problem()


async def test_too_much(lab: Lab, database: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(postgresql_query, "MOST_BYTES", 1_000)
    lab.open(toml("SELECT repeat('x', 100) AS x FROM generate_series(1, 100)"))

    assert "its query finds more than" in await lab.problem()


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        (f"postgresql://reader:{PASSWORD}@127.0.0.1:1x/lab", "its address must look like"),
        (f"mysql://reader:{PASSWORD}@127.0.0.1/lab", "its address must start with postgresql://"),
        (
            "postgresql://reader:{password}@127.0.0.1:{port}/lab",
            "Connection refused",
        ),
    ],
)
async def test_addresses_that_lead_nowhere_keep_the_password(lab: Lab, address: str, sentence: str):
    lab.values["SOURCE_LAB_URL"] = address.format(password="h%2Fu%3An%40t", port=free_port())
    lab.open(toml("SELECT 1"))

    said = await lab.problem()
    assert "lab can't be queried: " in said
    assert sentence in said or "PostgreSQL: " in said
    assert "h/u:n@t" not in said
    assert "h%2Fu%3An%40t" not in said


async def test_a_server_that_is_not_there(lab: Lab):
    lab.values["SOURCE_LAB_URL"] = "postgresql://lab@127.0.0.1:1/lab"
    lab.open(toml("SELECT 1"))

    assert (await lab.problem()).endswith('at "127.0.0.1", port 1 failed: Connection refused.')


async def test_a_password_of_its_own_variable(lab: Lab, postgres: PostgresServer, database: str):
    execute(database, f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'")
    try:
        execute(database, "GRANT SELECT ON tastings TO reader")
        name = execute(database, "SELECT current_database()")[0][0]
        lab.values["SOURCE_PASSWORD"] = PASSWORD
        address = f"postgresql://reader:${{SOURCE_PASSWORD}}@/{name}?host={postgres.folder}"
        query = toml("SELECT current_user AS who, ppb FROM tastings LIMIT 1")
        lab.open(query.replace("${SOURCE_LAB_URL}", address))
        assert await lab.rows() == [("reader", 148)]
        assert PASSWORD not in repr(lab.sources.get("lab"))
    finally:
        execute(database, "REVOKE ALL ON tastings FROM reader")
        execute(database, "DROP ROLE reader")


@pytest.mark.slow
async def test_a_database_that_goes_away(lab: Lab, restartable: PostgresServer, database: str):
    lab.open(toml("SELECT batch FROM tastings ORDER BY 1"))
    first = await lab.snapshot()
    await asyncio.to_thread(stop, restartable, "immediate")
    assert "lab can't be queried: PostgreSQL: " in await lab.problem()
    # What was fetched before is still whole.
    assert first.table.files[0].read_text().startswith("batch\n")
    await asyncio.to_thread(start, restartable)
    assert (await lab.snapshot()).fingerprint == first.fingerprint


@pytest.mark.skipif(program() is None, reason="PgBouncer isn't installed")
async def test_pgbouncer_that_pools_transactions(lab: Lab, postgres: PostgresServer, database: str):
    name = execute(database, "SELECT current_database()")[0][0]
    with pgbouncer(postgres) as port:
        lab.values["SOURCE_LAB_URL"] = f"postgresql://postgres@127.0.0.1:{port}/{name}"
        queries = "\n".join(
            toml("SELECT batch, ppb FROM tastings").replace("[lab]", f"[lab{at}]")
            for at in range(12)
        )
        lab.open(queries)
        found = await lab.sources.fetch(lab.sources.names())
        assert len(found) == 12
        # The limits of the transactions have stayed in them.
        with psycopg.connect(lab.values["SOURCE_LAB_URL"], prepare_threshold=None) as connection:
            limits = connection.execute("SHOW statement_timeout").fetchone()
        assert limits == ("0",)


async def test_closing_breaks_off_a_query_that_runs(lab: Lab, database: str):
    sources = lab.open(toml("SELECT pg_sleep(50)"))
    fetching = asyncio.create_task(sources.fetch(["lab"]))
    running = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE state = 'active' AND query LIKE 'COPY (SELECT pg_sleep(50)%'"
    )

    async def until(count: int) -> None:
        async with asyncio.timeout(20):
            while await asyncio.to_thread(execute, database, running) != [(count,)]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    await until(1)
    await sources.close()
    await until(0)
    await asyncio.gather(fetching, return_exceptions=True)
