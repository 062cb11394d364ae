"""Several processes on one database: they open it at the same moment, and write to it together."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from database.connecting import engine_for, parsed
from tests.support.direct_sql import writing
from tests.support.notes_table import all_notes, notes

pytestmark = pytest.mark.slow

OPEN = """
import asyncio, sys
from database.database import Database

async def main():
    database = Database(sys.argv[1])
    print("ready", flush=True)
    sys.stdin.readline()
    await database.open()
    await database.close()
    print("alembic" in sys.modules)

asyncio.run(main())
"""

COUNT_UP = """
import asyncio, sys
import sqlalchemy as sa
from database.database import Database

def count_up(connection):
    there = connection.scalar(sa.text("SELECT count(*) FROM notes"))
    connection.execute(sa.text("INSERT INTO notes VALUES (:id)"), {"id": f"{there:03}"})

async def main():
    database = Database(sys.argv[1])
    await database.open()
    for _ in range(50):
        await database.write(count_up)
    await database.close()

asyncio.run(main())
"""


def test_several_processes_open_at_the_same_moment(database_url: str):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, database_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for each in processes:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in processes:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    outcomes = [each.communicate(timeout=60) for each in processes]
    assert [each.returncode for each in processes] == [0] * 2, outcomes
    # The next process has nothing to migrate, so it doesn't even load Alembic.
    again = subprocess.run(
        [sys.executable, "-c", OPEN, database_url],
        input="go\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert again.stdout == "ready\nFalse\n"


def test_several_processes_write_to_a_file_at_once(tmp_path: Path):
    """A write locks the file as it begins, so what it has read is still true when it writes."""
    url = f"sqlite:///{tmp_path}/x.sqlite"
    engine = engine_for(parsed(url), None)
    with writing(engine) as connection:
        notes.create(connection)
    processes = [subprocess.Popen([sys.executable, "-c", COUNT_UP, url]) for _ in range(2)]
    assert [each.wait(60) for each in processes] == [0, 0]
    with engine.connect() as connection:
        assert all_notes(connection) == [f"{each:03}" for each in range(100)]
