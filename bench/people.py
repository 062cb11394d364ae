"""50,000 people: listing a page of them, finding one, counting groups, and importing all of them.

    python -m bench.people

The peer of each is the bare statement on the same database, over a connection of its own: the rows
of one page, the ids that match, the sizes of the groups, and inserting as many names and numbers.
The import reads a CSV file of 50,000 rows, checks every number, and writes all in one transaction.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Any

import sqlalchemy as sa

from alerts.phone_numbers import Regions
from bench.results import Result, Target, print_table
from database.connecting import engine_for, parsed
from database.database import Database
from database.tables import metadata
from people.columns import guess_mapping
from people.importing import Choices, Importer
from people.listing import Listing, PeopleFilter
from people.sheet import read_sheet
from people.tables import contact_numbers, contacts, group_members
from tests.support.direct_sql import writing
from tests.support.postgres import fresh_database, postgres_server

PEOPLE = 50_000
GROUPS = 40
PAGE = 25
ROUNDS = 20
LOOK = Target("ours", "≤", 150)
SEARCH = Target("ours", "≤", 400)
COLUMNS = ("id", "name", "name_key", "language", "time_zone", "clock_zone", "notes")


def measure() -> list[Result]:
    """Milliseconds of each look (the median of 20), and seconds of the import."""
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(_measure("SQLite", f"sqlite:///{folder}/callboard.sqlite"))
    with postgres_server() as server:
        return found + asyncio.run(_measure("PostgreSQL", fresh_database(server)))


async def _measure(name: str, url: str) -> list[Result]:
    database = Database(url, metadata)
    await database.open()
    began = time.perf_counter()
    sheet = read_sheet(_file())
    importer = Importer(database, Regions(), sheet)
    choices = Choices(guess_mapping(sheet), "US")
    await importer.plan(choices)
    planned = time.perf_counter()
    done = await importer.run(choices)
    imported = time.perf_counter()
    assert len(done.added) == PEOPLE
    people = Listing(database, "AC1")
    bare = _bare_looks(url)
    looks: dict[str, tuple[Callable[[], Awaitable[Any]], Target]] = {
        "first page": (lambda: people.page(PeopleFilter(), 0, PAGE), LOOK),
        "last page": (lambda: people.page(PeopleFilter(), PEOPLE - PAGE, PAGE), LOOK),
        "page of a group": (lambda: people.page(PeopleFilter(group="Group 7"), 0, PAGE), LOOK),
        "search by name": (lambda: people.page(PeopleFilter("family499"), 0, PAGE), SEARCH),
        "search by number": (lambda: people.page(PeopleFilter("412 201 00"), 0, PAGE), SEARCH),
        "counts": (people.counts, LOOK),
    }
    results = [
        Result(f"{name}: {what} of {PEOPLE:,}", "ms", await _median(look), bare[what], target)
        for what, (look, target) in looks.items()
    ]
    await database.close()
    inserting = _bare_insert(url)
    return [
        *results,
        Result(f"{name}: reading and checking {PEOPLE:,}", "s", planned - began, inserting),
        Result(f"{name}: importing them", "s", imported - planned, inserting),
    ]


def _file() -> bytes:
    rows = [
        f"Person {each % 997} Family{each},+1 412 {200 + each // 10_000:03} {each % 10_000:04},"
        f"Group {each % GROUPS},en\n"
        for each in range(PEOPLE)
    ]
    return ("name,number,site,lang\n" + "".join(rows)).encode()


async def _median(look: Callable[[], Awaitable[Any]]) -> float:
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await look()
        taken.append((time.perf_counter() - began) * 1000)
    return median(taken)


def _bare_looks(url: str) -> dict[str, float]:
    key = contacts.c.name_key
    page = sa.select(contacts).order_by(key, contacts.c.id).limit(PAGE)
    member = sa.select(group_members.c.contact_id).limit(PAGE)
    has = contact_numbers.c.number
    statements: dict[str, sa.Select[Any]] = {
        "first page": page,
        "last page": page.offset(PEOPLE - PAGE),
        "page of a group": page.where(contacts.c.id.in_(member)),
        "search by name": sa.select(contacts.c.id).where(key.contains("family499")),
        "search by number": sa.select(contact_numbers.c.contact_id).where(has.contains("41220100")),
        "counts": sa.select(group_members.c.group_id, sa.func.count()).group_by(
            group_members.c.group_id
        ),
    }
    engine = engine_for(parsed(url), 1)
    found = {}
    for name, statement in statements.items():
        taken = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            with engine.connect() as connection:
                connection.execute(statement).all()
            taken.append((time.perf_counter() - began) * 1000)
        found[name] = median(taken)
    engine.dispose()
    return found


def _bare_insert(url: str) -> float:
    """Seconds to insert as many names and numbers, row after row, in one transaction."""
    engine = engine_for(parsed(url), 1)
    people = [
        dict.fromkeys(COLUMNS, "") | {"id": f"bare-{each}", "name_key": f"person {each}"}
        for each in range(PEOPLE)
    ]
    rows = [each | {"created_at": 0.0, "updated_at": 0.0} for each in people]
    numbers = [
        {"contact_id": each["id"], "position": 1, "number": f"bare {each['id']}"} for each in people
    ]
    began = time.perf_counter()
    with writing(engine) as connection:
        for some in range(0, PEOPLE, 500):
            connection.execute(sa.insert(contacts), rows[some : some + 500])
            connection.execute(sa.insert(contact_numbers), numbers[some : some + 500])
    engine.dispose()
    return time.perf_counter() - began


if __name__ == "__main__":
    print_table(measure())
