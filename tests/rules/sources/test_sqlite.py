"""Sources in SQLite."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from rules.sources import sqlite_query
from tests.rules.sources.conftest import Lab

TABLE = """
CREATE TABLE scores (
    id INTEGER PRIMARY KEY, batch TEXT, score REAL, panel TEXT, released BOOLEAN,
    weight DECIMAL(9,2), tasted DATETIME, day DATE, note
)
"""


@pytest.fixture
def database(lab: Lab) -> Iterator[sqlite3.Connection]:
    with sqlite3.connect(lab.folder / "model.sqlite") as connection:
        connection.execute(TABLE)
        connection.execute(
            "INSERT INTO scores VALUES (1, '0042', 0.5, '', 1, 3, '2026-11-01 10:00:00',"
            " '2026-11-01', NULL), (2, '0043', 0.9, NULL, 0, 4.5, NULL, NULL, 'says \"ok\",\nok')"
        )
        connection.commit()
        make_older(lab)
        yield connection
    connection.close()


def make_older(lab: Lab) -> None:
    for each in lab.folder.glob("model.sqlite*"):
        lab.make_older(each, 100)


def toml(query: str) -> str:
    return f"[lab]\nsqlite = 'model.sqlite'\nquery = '''{query}'''\n"


async def test_rows_and_types(lab: Lab, database: sqlite3.Connection):
    lab.open(toml("SELECT * FROM scores ORDER BY id"))

    assert await lab.types() == {
        "id": "BIGINT",
        "batch": "VARCHAR",
        "score": "DOUBLE",
        "panel": "VARCHAR",
        "released": "BOOLEAN",
        "weight": "DOUBLE",
        "tasted": "TIMESTAMP",
        "day": "DATE",
        "note": "VARCHAR",
    }
    assert await lab.rows() == [
        (1, "0042", 0.5, "", True, 3.0, "2026-11-01 10:00:00", "2026-11-01", None),
        (2, "0043", 0.9, None, False, 4.5, None, None, 'says "ok",\nok'),
    ]


async def test_a_query_without_rows_and_its_types_later(lab: Lab, database: sqlite3.Connection):
    lab.open(toml("SELECT id, score, 2 * score AS twice FROM scores WHERE score > 1"))
    assert await lab.rows() == []
    assert await lab.types() == {"id": "BIGINT", "score": "DOUBLE", "twice": "VARCHAR"}

    database.execute("INSERT INTO scores (id, score) VALUES (3, 1.5)")
    database.commit()
    assert await lab.rows() == [(3, 1.5, 3.0)]
    database.execute("DELETE FROM scores WHERE id = 3")
    database.commit()
    assert await lab.rows() == []


async def test_whole_numbers_still_fit_a_column_of_decimals(lab: Lab, database: sqlite3.Connection):
    lab.open(toml("SELECT id, score * 2 AS twice FROM scores WHERE id = 1"))
    assert await lab.rows() == [(1, 1.0)]

    database.execute("UPDATE scores SET score = '7'")
    database.commit()
    lab.open()
    assert await lab.rows() == [(1, 14.0)]


async def test_a_column_that_holds_something_else_now(lab: Lab, database: sqlite3.Connection):
    lab.open(toml("SELECT note, id FROM scores WHERE note IS NULL"))
    await lab.snapshot()
    lab.open(toml("SELECT score FROM scores"))
    await lab.snapshot()

    database.execute("UPDATE scores SET score = 'high'")
    database.commit()
    assert "score of its query was DOUBLE and is VARCHAR" in await lab.problem()


async def test_it_is_asked_again_only_if_it_changed(
    lab: Lab, database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
):
    asked = []
    opened = sqlite_query._opened

    def counted(path: str) -> sqlite3.Connection:
        asked.append(path)
        return opened(path)

    monkeypatch.setattr(sqlite_query, "_opened", counted)
    lab.open(toml("SELECT id FROM scores"))
    first = await lab.snapshot()
    lab.open()
    assert (await lab.snapshot()).fingerprint == first.fingerprint
    assert len(asked) == 1

    database.execute("UPDATE scores SET score = 0")
    database.commit()
    make_older(lab)
    # The rows that it finds are still the same ones.
    assert (await lab.snapshot()).fingerprint == first.fingerprint
    assert len(asked) == 2
    lab.open(toml("SELECT id FROM scores WHERE tasted < datetime('now')"))
    await lab.snapshot()
    await lab.snapshot()
    assert len(asked) == 4


async def test_what_was_written_last_is_seen_in_wal_mode(lab: Lab, database: sqlite3.Connection):
    database.execute("PRAGMA journal_mode = WAL")
    lab.open(toml("SELECT count(*) AS rows FROM scores"))
    assert await lab.rows() == [(2,)]
    make_older(lab)
    await lab.snapshot()

    database.execute("INSERT INTO scores (id) VALUES (3)")
    database.commit()
    assert await lab.rows() == [(3,)]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("SELECT grade FROM scores", "model.sqlite: no such column: grade"),
        ("SELEC 1", 'model.sqlite: near "SELEC": syntax error'),
        ("SELECT 1; SELECT 2", "You can only execute one statement at a time"),
        ("DELETE FROM scores", "its query must be a SELECT: the database is opened read-only"),
        ("ATTACH 'other.sqlite' AS other", "its query must be a SELECT"),
        ("VACUUM INTO 'other.sqlite'", "its query must be a SELECT"),
        ("SELECT id, 1 AS ID FROM scores", "two columns of its query are called ID"),
        ("SELECT x'00ff' AS bytes", "bytes holds bytes (a BLOB). Leave it out of the query"),
    ],
)
async def test_queries_that_can_not_be_asked(
    lab: Lab,
    database: sqlite3.Connection,
    query: str,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
):
    # What a query names without a folder would be there.
    monkeypatch.chdir(lab.folder)
    lab.open(toml(query))

    assert sentence in await lab.problem()
    assert database.execute("SELECT count(*) FROM scores").fetchone() == (2,)
    assert not (lab.folder / "other.sqlite").exists()


async def test_a_query_that_takes_too_long(
    lab: Lab, database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sqlite_query, "MOST_SECONDS", 0.2)
    lab.open(
        toml("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")
    )
    assert "its query takes longer than 0.2 s" in await lab.problem()


async def test_too_many_rows(
    lab: Lab, database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sqlite_query, "MOST_ROWS", 1)
    lab.open(toml("SELECT id FROM scores"))
    assert "its query finds more than 1 rows" in await lab.problem()


async def test_files_that_are_no_database(lab: Lab):
    lab.open(toml("SELECT id FROM scores"))
    assert "there is no file" in await lab.problem()
    assert not (lab.folder / "model.sqlite").exists()

    lab.write("model.sqlite", "this is text, and long enough to be no database" * 20)
    assert "model.sqlite isn't an SQLite database" in await lab.problem()


async def test_a_database_that_is_locked(
    lab: Lab, database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sqlite_query, "WAIT_FOR_WRITER_SECONDS", 0.1)
    database.execute("BEGIN EXCLUSIVE")
    lab.open(toml("SELECT id FROM scores"))
    assert "model.sqlite is locked by a program that writes to it. This passes" in (
        await lab.problem()
    )


async def test_a_path_with_odd_characters(lab: Lab, database: sqlite3.Connection):
    path = Path(lab.folder / "a?b#c %41.sqlite")
    os.link(lab.folder / "model.sqlite", path)
    lab.open(toml("SELECT id FROM scores").replace("model.sqlite", path.name))

    assert len(await lab.rows()) == 2
