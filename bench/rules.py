"""What checking rules costs, and how long it takes from a row to Twilio's request.

    python -m bench.rules

200 rules are each checked once a minute, on a file that changes all the time, so that every query
runs. The floor is the same queries in the sandbox and nothing else. Then a row is added to a file
that a rule checks every second, until the request for its text begins. The peer is what a person
would write by hand: a loop that sleeps for a second, asks DuckDB in its own process, and posts.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import quantiles

import httpx
from pydantic import SecretStr

import twilio_client.transport
from alerts import Desk
from alerts.phone_numbers import Regions
from alerts.services import Services
from bench.results import Result, Target, print_table
from bench.simulator_process import running
from rules.checker import RuleChecker
from rules.rule import Rule
from rules.sandbox import Query, Sandbox
from rules.saved_rules import SavedRules
from rules.sources import Sources
from storage import InlineStorage
from twilio_client import TwilioClient

RULES = 200
SECONDS = 60
ROWS = 25
SPEED = 20
NO_LIMIT = 100_000
ACCOUNT_SID, TOKEN, FROM_NUMBER = "AC" + "0" * 32, "0" * 32, "+17248675309"
SQL = "SELECT batch, client FROM tastings WHERE diacetyl_ppb > 200"
RULE = Rule(
    sql=SQL,
    key=("batch",),
    message="Batch {{ batch }} is off.",
    to_column="client",
    channel="text",
    most_at_once=1000,
)
AT_MOST_PERCENT = Target("ours", "≤", 15)
AT_MOST_SECONDS = Target("ours", "≤", 1.5)


class TimedTransport(twilio_client.transport.Transport):
    """Connections to Twilio that note when the request for a number's text began."""

    def __init__(self) -> None:
        super().__init__()
        self.began: dict[str, float] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            form = httpx.QueryParams(request.content.decode())
            self.began[form["To"]] = time.perf_counter()
        return await super().handle_async_request(request)


@dataclass(frozen=True, slots=True)
class RulesAtWork:
    """A file of tastings, and a desk whose rules watch it."""

    file: Path
    desk: Desk
    sandbox: Sandbox
    sources: Sources
    transport: TimedTransport
    saved: SavedRules

    async def switch_on(self, name: str, every_seconds: float) -> None:
        """Save a rule and switch it on."""
        rule = await self.saved.save(replace(RULE, name=name, every_seconds=every_seconds), "")
        checker = RuleChecker(self.desk, self.sources, self.sandbox)
        report = await checker.turn_on(rule.id, rule.revision, "none", "")
        if report.result != "counted":
            raise RuntimeError(report.failure)

    @asynccontextmanager
    async def checking(self) -> AsyncIterator[None]:
        """Check the rules for as long as the block lasts."""
        checker = RuleChecker(self.desk, self.sources, self.sandbox)
        task = asyncio.create_task(checker.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def measure() -> list[Result]:
    """CPU of 200 rules a minute, and seconds from a row to the request for its text."""
    return [*asyncio.run(_cost()), *asyncio.run(_delay())]


async def _cost() -> list[Result]:
    async with _rules_at_work() as rules:
        for number in range(RULES):
            await rules.switch_on(f"Rule {number}", SECONDS)
        touching = asyncio.create_task(_touch(rules.file))
        try:
            async with rules.checking():
                await asyncio.sleep(2)
                ours = await _cpu(lambda: asyncio.sleep(SECONDS))

            async def bare() -> None:
                tables = (await rules.sources.fetch(["tastings"]))["tastings"].table
                for _ in range(RULES):
                    await rules.sandbox.run(Query(SQL, (tables,)))

            floor = await _cpu(bare)
        finally:
            touching.cancel()
    return [
        Result(
            f"{RULES} rules a minute, beside their queries",
            "% of a core",
            ours / SECONDS * 100,
            floor / SECONDS * 100,
            AT_MOST_PERCENT,
        )
    ]


async def _delay() -> list[Result]:
    async with _rules_at_work() as rules:
        await rules.switch_on("Diacetyl", 1)
        async with rules.checking():
            ours = [await _row_to_request(rules, number) for number in range(ROWS)]
        bare = [await _by_hand(rules, number) for number in range(ROWS, 2 * ROWS)]
    return [
        Result(
            "From a row to Twilio's request, every second, p95",
            "s",
            _p95(ours),
            _p95(bare),
            AT_MOST_SECONDS,
        )
    ]


async def _row_to_request(rules: RulesAtWork, number: int) -> float:
    """Add a row at a random moment, and return how long it takes until its request begins."""
    await asyncio.sleep(random.random())  # noqa: S311 - any moment will do
    to = _number(number)
    began = time.perf_counter()
    _add_row(rules.file, number)
    async with asyncio.timeout(30):
        while to not in rules.transport.began:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    return rules.transport.began[to] - began


async def _by_hand(rules: RulesAtWork, number: int) -> float:
    """Do the same with a loop written by hand: no state, no retries, no alerts."""
    import duckdb  # noqa: PLC0415 - not in the process that is measured before

    def bad_ones() -> list[tuple[str, str]]:
        asked = SQL.replace("tastings", f"'{rules.file}'")
        return duckdb.connect().execute(asked).fetchall()

    known = {row[0] for row in bad_ones()}
    began = 0.0

    async def add() -> None:
        nonlocal began
        await asyncio.sleep(random.random())  # noqa: S311
        began = time.perf_counter()
        _add_row(rules.file, number)

    adding = asyncio.create_task(add())
    while True:
        await asyncio.sleep(1)
        new = [row for row in await asyncio.to_thread(bad_ones) if row[0] not in known]
        if new:
            await adding
            return time.perf_counter() - began


async def _cpu(work: Callable[[], Awaitable[object]]) -> float:
    """CPU seconds of this process and of its children while it awaits `work()`."""
    before = _cpu_seconds()
    await work()
    return _cpu_seconds() - before


def _cpu_seconds() -> float:
    """CPU seconds of this process, of the processes that it has started, and of what these did."""
    ticks, me = 0, os.getpid()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(folder.name) == me:
                ticks += sum(map(int, fields[11:13]))
            elif int(fields[1]) == me:
                ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def _rules_at_work() -> AsyncIterator[RulesAtWork]:
    with tempfile.TemporaryDirectory() as name, running(SPEED) as twilio:
        folder = Path(name)
        (folder / "sources.toml").write_text('[tastings]\nfile = "tastings.csv"\n')
        file = folder / "tastings.csv"
        good = "".join(f"{each},{each % 200},+14125550100\n" for each in range(1000))
        file.write_text(f"batch,diacetyl_ppb,client\n{good}")
        transport, sandbox = TimedTransport(), Sandbox()
        services = Services(
            twilio=TwilioClient(ACCOUNT_SID, TOKEN, base_url=twilio.address, transport=transport),
            storage=InlineStorage(),
            from_number=FROM_NUMBER,
            regions=Regions(),
            database_url=SecretStr(f"sqlite:///{folder / 'callboard.sqlite'}"),
            calls_per_second=NO_LIMIT,
            texts_per_second=NO_LIMIT,
            alerts_per_number_per_hour=NO_LIMIT,
            alerts_per_person_per_hour=None,
        )
        sources = Sources.load(
            folder / "sources.toml", folder, columns_of=sandbox.columns, values={}
        )
        # A client doesn't close a transport that it was given.
        async with contextlib.aclosing(transport), Desk(services) as desk:
            await desk.open()
            saved = SavedRules(await desk.database(), ACCOUNT_SID)
            try:
                yield RulesAtWork(file, desk, sandbox, sources, transport, saved)
            finally:
                await sources.close()
                await sandbox.close()


async def _touch(file: Path) -> None:
    """Make a file look changed all the time."""
    while True:
        os.utime(file)
        await asyncio.sleep(0.5)


def _add_row(file: Path, number: int) -> None:
    with file.open("a") as opened:
        opened.write(f"{10_000 + number},374,{_number(number)}\n")


def _number(number: int) -> str:
    return f"+1412555{2000 + number}"


def _p95(seconds: list[float]) -> float:
    return quantiles(seconds, n=20)[-1]


if __name__ == "__main__":
    print_table(measure())
