"""How long a look at a million alerts takes, beside the bare query for the newest of them.

    python -m bench.search [COUNT]

A look is what the Activity page asks for: a page of 25 rows with their events, and the counts of
every tile. Each filter is tried with common and rare values, on the first page and behind an old
alert. The 95th percentile counts. The floor is one bare SELECT of the newest 25 rows.
"""

from __future__ import annotations

import itertools
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

from alerts import AlertRequest
from alerts.filters import Filters, Kind
from alerts.records import position_at
from alerts.search import counts, page
from alerts.tables import alerts
from alerts.words import words_of
from bench.results import Result, Target, print_table
from database.connecting import engine_for, parsed
from database.migrations import bring_up_to_date
from tests.support.direct_sql import writing
from tests.support.postgres import fresh_database, postgres_server

COUNT = 1_000_000
ACCOUNT = "AC" + "0" * 32
ROWS = 25
LOOKS = 10  # at each filter
YEAR_SECONDS = 365 * 86400
AT_ONCE = 20_000
FAST = Target("ours", "≤", 150)
WORDS = Target("ours", "≤", 400)
SENDERS = ["Maya Ortiz", "Ines Marques", "Ruth Kaplan", *(f"Sender {each}" for each in range(40))]
NAMES = ["Ben", "Clara", "Sam", "Priya", "Tomás", "Ruth", "Ada", "Noor", "Ivo", "Lena"]
LAST_NAMES = ["Adeyemi", "Novak", "Okafor", "Nair", "Leal", "Kaplan", "Rossi", "Haddad", "Berg"]
FLAWS = ["diacetyl", "sulphur", "phenol", "oxidation", "lactic acid", "haze", "gushing", "skunk"]
DRINKS = ["pale ale", "dry cider", "kombucha", "cold brew", "stout", "perry", "mead", "porter"]
ENDS = [
    *[("acknowledged", "confirmed")] * 60,
    *[("completed", "reached")] * 20,
    *[("unanswered", "not reached")] * 12,
    *[("failed", "not reached")] * 5,
    *[("canceled", "canceled")] * 3,
]
ALERT_COLUMNS = (
    "id", "account_sid", "created_at", "request", "from_number", "not_before", "sender", "person",
    "due_at", "revision", "status", "is_open", "since", "try_number", "channel", "to_number",
    "canceling", "position", "stage",
)  # fmt: skip
EVENT_COLUMNS = (
    "alert_id", "account_sid", "number", "at", "try_number", "source", "status", "note",
    "canceling", "news",
)  # fmt: skip


def measure(count: int = COUNT) -> list[Result]:
    """Fill each database, then look."""
    results: list[Result] = []
    with _databases() as databases:
        for name, url in databases.items():
            began = time.perf_counter()
            fill(url, count)
            print(f"{name}: filled in {time.perf_counter() - began:.0f} s", flush=True)
            engine = engine_for(parsed(url), 1)
            bare = _percentile(_timed(_bare(engine), LOOKS * 5))
            for what, filters in looks().items():
                print(f"{name}: {what} …", flush=True)
                taken = [
                    seconds
                    for each in filters
                    for seconds in _timed(_look(engine, each, count), LOOKS)
                ]
                target = WORDS if "words" in what.lower() else FAST
                results.append(Result(f"{what}, {name}", "ms", _percentile(taken), bare, target))
            engine.dispose()
    return results


def looks() -> dict[str, list[Filters]]:
    """What people look for, by what the table calls it."""
    now = datetime.now(UTC)
    week, day = now - timedelta(days=7), now - timedelta(days=1)
    return {
        "No filter": [Filters()],
        "Time": [Filters(since=week), Filters(since=day), Filters(until=now - timedelta(days=200))],
        "Status": [Filters(kind=kind) for kind in Kind],
        "Channel": [Filters(channel="call"), Filters(channel="text", since=week)],
        "Sender": [Filters(sender=SENDERS[0]), Filters(sender=SENDERS[-1])],
        "Sender and status": [
            Filters(sender=SENDERS[0], kind=Kind.CANCELED, channel="text"),
            Filters(sender=SENDERS[-1], kind=Kind.UNDER_WAY),
            Filters(sender="Nobody", since=week),
        ],
        "Number": [Filters(number=_number(7)), Filters(number="+14125550000")],
        "SID": [Filters(sid="CA" + "0" * 32)],
        "Common words": [Filters(words="batch"), Filters(words="please hol")],
        "Rare words": [Filters(words="lot 98765"), Filters(words="unheard"), Filters(words="4309")],
        "Person, words": [Filters(words="clara nov"), Filters(person="Tomas Leal")],
        "Some words": [Filters(words="skunk mead"), Filters(words="haze perry", since=week)],
        "Begun words": [Filters(words="d"), Filters(words="gush"), Filters(words="98")],
        "Status and words": [
            Filters(words="batch", kind=Kind.CANCELED),
            Filters(words="batch sku", sender=SENDERS[-1]),
            Filters(words="lot", kind=Kind.UNDER_WAY),
        ],
    }


def fill(url: str, count: int) -> None:
    """Make `count` alerts of the last year, with two events each."""
    engine = engine_for(parsed(url), 1)
    bring_up_to_date(engine)
    engine.dispose()
    if url.startswith("sqlite"):
        _fill_sqlite(url, count)
    else:
        _fill_postgresql(url, count)


def _rows(count: int) -> Iterator[tuple[tuple[Any, ...], list[tuple[Any, ...]], str]]:
    """Each alert's row, the rows of its events, and its words."""
    dice = random.Random(1407)  # noqa: S311
    now = time.time()
    for each in range(count):
        at = round(now - YEAR_SECONDS * (count - each) / count, 6)
        sender = SENDERS[min(int(dice.expovariate(0.4)), len(SENDERS) - 1)]
        name = f"{dice.choice(NAMES)} {dice.choice(LAST_NAMES)}" if dice.random() < 0.8 else ""
        channel = "call" if dice.random() < 0.7 else "text"
        status, stage = dice.choice(ENDS)
        if count - each <= 60:
            status, stage = dice.choice([("ringing", "under way"), ("queued", "queued")])
        message = (
            f"Hello {name or 'there'}, batch {each % 5000} lot {each} of your "
            f"{dice.choice(DRINKS)} shows signs of {dice.choice(FLAWS)}. Please hold it back."
        )
        number = _number(dice.randrange(20_000))
        asked = {"channel": channel, "to": number, "message": message, "name": name}
        row = (
            f"{each:016x}", ACCOUNT, at, json.dumps(asked), "+17248675309", at, sender, name,
            at, 2, status, stage in {"queued", "under way"}, at + 30, 1, channel, number, False,
            position_at(datetime.fromtimestamp(at, UTC)), stage,
        )  # fmt: skip
        events = [
            (row[0], ACCOUNT, 1, at, 1, "callboard", "queued", "Saved", False, True),
            (row[0], ACCOUNT, 2, at + 30, 1, "callback", status, "Call ended", False, True),
        ]
        words = words_of(AlertRequest(channel, number, message, name=name), [number])  # type: ignore[arg-type]
        yield row, events, " ".join(words)


def _fill_sqlite(url: str, count: int) -> None:
    engine = engine_for(parsed(url), 1)
    with writing(engine) as connection:
        raw: Any = connection.connection.driver_connection
        made = raw.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'alerts'"
            " AND sql IS NOT NULL"
        ).fetchall()
        for name, _ in made:
            raw.execute(f"DROP INDEX {name}")
        for some in _parts(_rows(count)):
            raw.executemany(_insert("alerts", ALERT_COLUMNS), [each[0] for each in some])
            raw.executemany(
                _insert("events", EVENT_COLUMNS), [event for each in some for event in each[1]]
            )
            raw.executemany(
                "INSERT INTO alert_words (rowid, words, alert_id, account_sid) VALUES (?, ?, ?, ?)",
                [(each[0][17], each[2], each[0][0], ACCOUNT) for each in some],
            )
        for _, statement in made:
            raw.execute(statement)
    engine.dispose()


def _fill_postgresql(url: str, count: int) -> None:
    with psycopg.connect(url) as connection:
        made = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes"
            " WHERE tablename IN ('alerts', 'alert_words') AND indexname NOT LIKE '%pkey'"
        ).fetchall()
        for name, _ in made:
            connection.execute(f"DROP INDEX {name}".encode())
        connection.execute("CREATE TEMPORARY TABLE filling (position bigint, words text, id text)")
        for some in _parts(_rows(count)):
            _copy(connection, "alerts", ALERT_COLUMNS, [each[0] for each in some])
            _copy(connection, "events", EVENT_COLUMNS, [e for each in some for e in each[1]])
            rows = [(each[0][17], each[2], each[0][0]) for each in some]
            _copy(connection, "filling", ("position", "words", "id"), rows)
        connection.execute(
            "INSERT INTO alert_words (alert_id, account_sid, position, words)"
            " SELECT id, %s, position, array_to_tsvector(string_to_array(words, ' ')) FROM filling",
            [ACCOUNT],
        )
        for _, statement in made:
            connection.execute(statement.encode())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def _parts(rows: Iterator[Any]) -> Iterator[list[Any]]:
    while some := list(itertools.islice(rows, AT_ONCE)):
        yield some


def _insert(table: str, columns: Sequence[str]) -> str:
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608


def _copy(connection: Any, table: str, columns: Sequence[str], rows: Sequence[Any]) -> None:
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
    with connection.cursor().copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _number(number: int) -> str:
    return f"+1412{5_550_000 + number:07}"


def _look(engine: sa.Engine, filters: Filters, count: int) -> Callable[[int], None]:
    """A look at the newest or, every other time, behind an alert somewhere in the year."""

    def look(number: int) -> None:
        back = timedelta(days=37 * number % 300)
        before = position_at(datetime.now(UTC) - back) if number % 2 else None
        with engine.connect() as connection:
            page(connection, ACCOUNT, filters, before=before, limit=ROWS)
            counts(connection, ACCOUNT, filters)

    return look


def _bare(engine: sa.Engine) -> Callable[[int], None]:
    newest = sa.select(alerts).order_by(alerts.c.created_at.desc()).limit(ROWS)

    def look(_: int) -> None:
        with engine.connect() as connection:
            connection.execute(newest).all()

    return look


def _timed(look: Callable[[int], None], times: int) -> list[float]:
    """Milliseconds of each look, except the first two, which read what isn't in memory yet."""
    taken = []
    for number in range(times + 2):
        began = time.perf_counter()
        look(number)
        taken.append((time.perf_counter() - began) * 1000)
    return taken[2:]


def _percentile(taken: Sequence[float]) -> float:
    return statistics.quantiles(taken, n=20, method="inclusive")[-1]


@contextmanager
def _databases() -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory() as folder, postgres_server() as server:
        sqlite = f"sqlite:///{Path(folder) / 'callboard.sqlite'}"
        yield {"SQLite": sqlite, "PostgreSQL": fresh_database(server)}


if __name__ == "__main__":
    print_table(measure(*map(int, sys.argv[1:])))
