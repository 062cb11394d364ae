"""DATABASE_URL as libpq takes it: with its short scheme, and with several hosts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from database.connecting import parsed, place_of
from database.database import Database
from tests.support.postgres import PostgresServer, fresh_database
from tests.support.servers import free_port

LOGIN = {"user": "u", "password": "p", "dbname": "db"}


@pytest.mark.parametrize(
    ("url", "arguments", "place"),
    [
        ("postgresql://u:p@h/db", {"host": "h"}, "h"),
        ("postgres://u:p@h:5433/db", {"host": "h", "port": "5433"}, "h:5433"),
        (
            "postgresql://u:p@h1,h2:5433/db",
            {"host": "h1,h2", "port": ",5433"},
            "h1, h2:5433",
        ),
        (
            "postgres://u:p@h1:1,h2:2/db?target_session_attrs=read-write",
            {"host": "h1,h2", "port": "1,2", "target_session_attrs": "read-write"},
            "h1:1, h2:2",
        ),
        (
            "postgresql://u:p@h1,h2/db?port=5433",
            {"host": "h1,h2", "port": "5433,5433"},
            "h1:5433, h2:5433",
        ),
        ("postgresql://u:p@/db?host=a&host=b:2", {"host": "a,b", "port": ",2"}, "a, b:2"),
        (
            "postgresql://u:p@/db?host=a,b&port=1,2",
            {"host": "a,b", "port": "1,2"},
            "a:1, b:2",
        ),
        ("postgresql://u:p@/db?host=/run/x", {"host": "/run/x"}, "/run/x"),
        ("postgresql://u:p@%2Frun%2Fx/db", {"host": "/run/x"}, "/run/x"),
        ("postgresql://u:p@[::1]:5/db", {"host": "::1", "port": "5"}, "::1:5"),
        ("postgresql://u:p@/db?host=::1", {"host": "::1"}, "::1"),
        ("postgresql://u:p@/db", {}, "this machine"),
    ],
)
def test_what_libpq_gets(url: str, arguments: dict[str, Any], place: str):
    read = parsed(url)
    _, given = read.get_dialect()().create_connect_args(read)
    if set(str(given.get("port", "")).split(",")) == {""}:
        given.pop("port", None)
    assert given == LOGIN | arguments
    assert place_of(read) == f"the database db at {place}"


def test_special_characters_in_the_name():
    assert parsed("postgresql://u@h/a%40b").database == "a@b"


async def test_the_first_host_is_not_there(postgres: PostgresServer):
    """libpq goes on to the next."""
    url = fresh_database(postgres)
    name = url.split("/")[3].split("?")[0]
    folder = str(postgres.folder).replace("/", "%2F")
    database = Database(f"postgres://postgres@127.0.0.1:{free_port()},{folder}:5432/{name}")
    await database.open()
    assert await database.read(lambda connection: connection.dialect.name) == "postgresql"
    await database.close()


@pytest.mark.parametrize("path", ["~/x.sqlite", "~/a b/x.sqlite"])
def test_a_file_in_the_home_folder(monkeypatch, tmp_path: Path, path: str):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert parsed(f"sqlite:///{path}").database == path.replace("~", str(tmp_path))
