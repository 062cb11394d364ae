"""A database that can't be used: one sentence that names DATABASE_URL, and never a password."""

from __future__ import annotations

import asyncio
import os
import tempfile
import traceback
from pathlib import Path
from pwd import getpwnam

import psycopg
import pytest
from pydantic import SecretStr

from database import DatabaseError
from database.connecting import engine_for, parsed
from database.database import Database
from database.migrations import bring_up_to_date
from database.tables import metadata
from tests.support.desks import desk_at
from tests.support.postgres import PostgresServer, fresh_database
from tests.support.servers import free_port

PASSWORD = "hunter2"


async def _refusal(url: str) -> str:
    with pytest.raises(DatabaseError) as raised:
        await Database(url).open()
    return _check_sentence(raised.value)


def _check_sentence(error: DatabaseError) -> str:
    assert PASSWORD not in "".join(traceback.format_exception(error))
    assert error.__cause__ is None
    assert error.__context__ is None
    sentence = str(error)
    assert sentence.startswith("DATABASE_URL")
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (f"postgresql://user:{PASSWORD}@host:port/name", "can't be read"),
        (f"postgresql://user:{PASSWORD}@[::1/name", "can't be read"),
        (f"postgresql://user:{PASSWORD}@host", "names no database"),
        (f"postgresql://user:{PASSWORD}@127.0.0.1/name?shape=round", "options that PostgreSQL"),
        (f"postgres://user:{PASSWORD}@host.invalid,host2.invalid:5433/name", "host2.invalid"),
        (f"postgresql://user:{PASSWORD}@host.invalid/name", "host.invalid"),
        (f"mysql://user:{PASSWORD}@host/name", "must start with"),
        (f"{PASSWORD}", "can't be read"),
        ("sqlite:///", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///file:x.sqlite?mode=ro&uri=true", "names no file"),
        ("sqlite:////proc/nowhere/x.sqlite", "/proc/nowhere/x.sqlite"),
    ],
)
async def test_a_url_that_leads_nowhere(url: str, says: str):
    assert says in await _refusal(url)


# Where a password ends is unclear in these, or part of it is taken for something that is shown.
SPLIT_PASSWORDS = [
    "postgresql://callboard:Summer@{}@host.invalid/name",
    "postgres://callboard:Summer@{}@host.invalid/name",
    "postgresql://callboard:@{}@host.invalid:5432/name",
    "postgresql://callboard:Summer@1/{}@host.invalid/name",
    "postgresql://callboard:Summer@1:{}@host.invalid/name",
    "postgresql://callboard:Summer@1:5432/{}@host.invalid/name",
    "postgresql://callboard:Summer@1?{}@host.invalid/name",
    "postgresql://callboard:Summer@1/x?{}@host.invalid/name",
    "postgresql://callboard:Summer@1#{}@host.invalid/name",
    "postgresql://callboard:Summer@1%{}@host.invalid/name",
    "postgresql://callboard:Summer@1,{}@host.invalid/name",
    "postgresql://callboard:Summer@ {} @host.invalid/name",
    "postgresql://callboard:Summer@\n{}@host.invalid/name",
    "postgresql:///callboard:{}@host.invalid/name",
    "postgresql:callboard:{}@host.invalid/name",
    "postgresql://callboard@127.0.0.1:9/name?password=Summer&{}",
    "postgresql://callboard@127.0.0.1:9/name?password=Summer&{}=x",
    "postgresql://callboard@127.0.0.1:9/name?password=Summer#{}",
    "postgresql://callboard@127.0.0.1:9/name?password=Summer&password={}",
    "postgresql://callboard@host.invalid/name?port={}",
    "postgresql://callboard@host.invalid/name?host=/tmp&host={}@x",
]


@pytest.mark.parametrize("url", SPLIT_PASSWORDS)
async def test_a_password_that_is_not_escaped(url: str, caplog):
    assert "written as %XX" in await _refusal(url.format(PASSWORD))
    assert PASSWORD not in caplog.text


# In these it is clear, so they lead to a server, which isn't there.
WHOLE_PASSWORDS = [
    "postgresql://callboard:{}@127.0.0.1:9/name",
    "postgresql://callboard:{}/a?b#c:d%zz@127.0.0.1:9/name",
    "postgresql://callboard:a:{}@127.0.0.1:9/name",
    "postgresql://call@board:{}%402026@127.0.0.1:9/name",
    "postgresql://callboard@127.0.0.1:9/name?password={}",
    "postgresql://callboard@127.0.0.1:9/name?password={}%26x",
    "postgresql://callboard:{}@[::1]:9/name?connect_timeout=1",
    "postgresql://callboard:{}@127.0.0.1:9,127.0.0.2:9/name",
]


@pytest.mark.parametrize("url", WHOLE_PASSWORDS)
async def test_a_password_that_is_clear(url: str, caplog):
    url = url.format(PASSWORD)
    sentence = await _refusal(url)
    assert "can't be used" in sentence
    assert "%XX" not in sentence
    assert PASSWORD not in repr(Database(url)) + caplog.text


async def test_no_server_is_there():
    port = free_port()
    url = f"postgresql://user:{PASSWORD}@127.0.0.1:{port}/name"
    assert "Connection refused" in await _refusal(url)
    assert PASSWORD not in repr(Database(url))


async def test_the_server_has_no_such_database(postgres: PostgresServer):
    assert '"nothing" does not exist' in await _refusal(postgres.url("nothing"))


async def test_the_server_lets_nothing_be_written(postgres: PostgresServer):
    url = fresh_database(postgres)
    database = Database(url)
    await database.open()
    await database.close()
    name = url.split("/")[3].split("?")[0]
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
    assert "read-only" in await _refusal(url)


async def test_a_folder_is_no_file(tmp_path: Path):
    assert "unable to open" in await _refusal(f"sqlite:///{tmp_path}")


async def test_a_file_is_in_the_way_of_the_folder(tmp_path: Path):
    (tmp_path / "data").write_text("a file")
    assert "Not a directory" in await _refusal(f"sqlite:///{tmp_path}/data/x/x.sqlite")


async def test_the_file_is_something_else(tmp_path: Path):
    (tmp_path / "x.sqlite").write_text("Dear diary, today I was no database. " * 100)
    assert "not a database" in await _refusal(f"sqlite:///{tmp_path}/x.sqlite")


def test_the_file_may_only_be_read():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder}/x.sqlite"
        bring_up_to_date(engine_for(parsed(url), None))
        (folder / "x.sqlite").chmod(0o444)
        folder.chmod(0o555)
        user = os.geteuid()
        if user == 0:
            # Root may write to any file, so act as another user.
            os.seteuid(getpwnam("nobody").pw_uid)
        try:
            assert "readonly" in asyncio.run(_refusal(url))
        finally:
            os.seteuid(user)
            folder.chmod(0o755)


async def test_the_user_may_use_tables_but_make_no_schema(postgres: PostgresServer):
    """Callboard needs no permissions but those on its own tables."""
    url = fresh_database(postgres)
    database = url.split("/")[3].split("?")[0]
    role = f"role_{database}"
    limited = SecretStr(url.replace("postgres:@", f"{role}:{PASSWORD}@"))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'".encode())
        connection.execute(f"GRANT ALL ON SCHEMA public TO {role}".encode())
        async with desk_at("http://twilio.localhost", database_url=limited) as desk:
            await desk.open()
            assert await desk.status("never-sent") is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("ALTER TABLE events DROP COLUMN answered_by", "events has no column answered_by"),
        ("DROP TABLE rate_limits", "no table rate_limits"),
        ("ALTER TABLE submissions RENAME COLUMN outcome TO result", "no column outcome"),
    ],
)
async def test_tables_that_are_not_those_of_their_revision(
    database_url: str, change: str, says: str
):
    engine = engine_for(parsed(database_url), None)
    bring_up_to_date(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP INDEX submissions_open")
        connection.exec_driver_sql(change)
    with pytest.raises(DatabaseError) as raised:
        await Database(database_url, metadata).open()
    assert says in _check_sentence(raised.value)


@pytest.mark.parametrize(
    "theirs",
    [
        "CREATE TABLE theirs (id TEXT)",
        "ALTER TABLE alerts ADD COLUMN theirs TEXT",
        # A view that can't be read any more.
        "CREATE TABLE theirs (id TEXT); CREATE VIEW seen AS SELECT id FROM theirs;"
        " DROP TABLE theirs",
    ],
)
async def test_tables_and_columns_of_others_are_left_alone(database_url: str, theirs: str):
    engine = engine_for(parsed(database_url), None)
    bring_up_to_date(engine)
    with engine.begin() as connection:
        statements = theirs.split(";")
        if engine.dialect.name == "postgresql":
            statements = statements[:2]  # PostgreSQL drops no table that a view needs
        for each in statements:
            connection.exec_driver_sql(each)
    await _open_and_check(database_url)


@pytest.mark.parametrize("path", ['first, "$user", public', "pg_catalog, public"])
async def test_another_schema_may_come_first(postgres: PostgresServer, path: str):
    url = fresh_database(postgres)
    bring_up_to_date(engine_for(parsed(url), None))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA first")
        name = url.split("/")[3].split("?")[0]
        connection.execute(f"ALTER DATABASE {name} SET search_path = {path}".encode())
    await _open_and_check(url)


@pytest.mark.parametrize("schema", ["Alarm", "call.board"])
async def test_a_schema_of_any_name(postgres: PostgresServer, schema: str):
    url = fresh_database(postgres)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE SCHEMA "{schema}"'.encode())
        name = url.split("/")[3].split("?")[0]
        connection.execute(f'ALTER DATABASE {name} SET search_path = "{schema}"'.encode())
    await _open_and_check(url)


async def _open_and_check(url: str) -> None:
    database = Database(url, metadata)
    await database.open()
    await database.check()
    await database.close()
