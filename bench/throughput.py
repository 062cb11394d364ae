"""How many texts a second are sent when none may get lost, beside a client that saves nothing.

    python -m bench.throughput

2,000 texts are queued at once (`Desk.send_all`), with no rate limit, to a simulator that takes 80
ms for each; the clock stops when the history has every SID. The floor is `create_message` alone, as
many in flight and nothing written down. Memory is measured when 1,000 and when 2,000 are sent. Then
the desk stays open with nothing to do, and after that it sends texts alone, one after another: what
each costs until Twilio has it, and until its end. Each client runs in a process of its own.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import httpx

from bench.results import Result, Target, print_table
from bench.simulator_process import running
from tests.support.postgres import fresh_database, postgres_server
from twilio_client import TwilioClient

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Engine

    from alerts import Desk

TEXTS = 2000
NUMBERS = 1000
IN_FLIGHT = 100
DELAY_SECONDS = 0.08
SPEED = 20
IDLE_SECONDS = 10
ALONE = 50
NO_LIMIT = 100_000
ACCOUNT_SID, TOKEN = "AC" + "0" * 32, "0" * 32
FROM_NUMBER = "+17248675309"
AT_LEAST = {"SQLite": Target("ours", "≥", 400), "PostgreSQL": Target("ours", "≥", 300)}
IDLE = Target("ours", "≤", 1)
CPU_ALONE = Target("ours", "≤", 10)

Found = TypeVar("Found")


@dataclass(frozen=True)
class Sent:
    """Texts a second, CPU milliseconds a text, and megabytes after half of them and after all."""

    per_second: float
    cpu_ms: float
    half_way_mb: float = 0
    end_mb: float = 0
    idle_percent: float = 0
    alone_cpu_ms: float = 0
    alone_to_its_end_cpu_ms: float = 0


def measure() -> list[Result]:
    """Texts a second on each database beside none, and what they cost."""
    bare = _with_slow_simulator(_bare, "")
    results: list[Result] = []
    with _databases() as databases:
        for name, url in databases.items():
            sent = _with_slow_simulator(_durable, url)
            results += [
                Result(
                    f"Durable texts, {name}", "/s", sent.per_second, bare.per_second, AT_LEAST[name]
                ),
                Result(f"CPU of a durable text, {name}", "ms", sent.cpu_ms, bare.cpu_ms),
                Result(f"Memory after 2,000, {name}", "MB", sent.end_mb, sent.half_way_mb),
                Result(f"A desk with nothing to do, {name}", "% CPU", sent.idle_percent, 100, IDLE),
                Result(
                    f"CPU of a text sent alone, {name}",
                    "ms",
                    sent.alone_cpu_ms,
                    bare.alone_cpu_ms,
                    CPU_ALONE,
                ),
                Result(
                    f"The same to its end, {name}",
                    "ms",
                    sent.alone_to_its_end_cpu_ms,
                    bare.alone_cpu_ms,
                ),
            ]
    return results


@contextmanager
def _databases() -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory() as folder, postgres_server() as server:
        sqlite = f"sqlite:///{Path(folder) / 'callboard.sqlite'}"
        yield {"SQLite": sqlite, "PostgreSQL": fresh_database(server)}


def _with_slow_simulator(send: Callable[[str, str], Sent], url: str) -> Sent:
    """Call `send(simulator, url)` in a process of its own, and return the result."""
    with running(SPEED, on_one_core=True) as simulator:
        slow = {"kind": "slow", "method": "POST", "rate": 1, "seconds": DELAY_SECONDS}
        httpx.post(
            f"{simulator.address}/simulator/faults", json=slow, auth=(ACCOUNT_SID, TOKEN)
        ).raise_for_status()
        with multiprocessing.get_context("spawn").Pool(1) as process:
            return process.apply(send, (simulator.address, url))


def _bare(simulator: str, _: str) -> Sent:
    return asyncio.run(_send_bare(simulator))


def _durable(simulator: str, url: str) -> Sent:
    return asyncio.run(_send_durably(simulator, url))


async def _send_bare(simulator: str) -> Sent:
    left = iter(range(TEXTS))
    async with TwilioClient(ACCOUNT_SID, TOKEN, base_url=simulator) as twilio:

        async def work() -> None:
            for number in left:
                await twilio.create_message(
                    to=_number(number), body=_body(number), from_=FROM_NUMBER
                )

        async def send() -> None:
            await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))

        await twilio.fetch_account()  # imports what it needs
        seconds, cpu, _ = await _timed(send)

        async def send_alone() -> None:
            for number in range(ALONE):
                await twilio.create_message(
                    to=_number(number), body=_body(number), from_=FROM_NUMBER
                )

        _, alone_cpu, _ = await _timed(send_alone)
    return Sent(TEXTS / seconds, cpu / TEXTS * 1000, alone_cpu_ms=alone_cpu / ALONE * 1000)


async def _send_durably(simulator: str, url: str) -> Sent:
    from alerts import AlertRequest  # noqa: PLC0415 - not in the bare client's process

    requests = [AlertRequest("text", _number(each), _body(each)) for each in range(TEXTS)]
    async with _desk(simulator, url) as desk:
        await desk.open()

        async def send() -> float:
            await desk.send_all(requests)
            await _until_sent(desk, TEXTS // 2)
            half_way = _memory_mb()
            await _until_sent(desk, TEXTS)
            return half_way

        seconds, cpu, half_way = await _timed(send)
        end = _memory_mb()
        await _until_over(desk)
        _, idle_cpu, _ = await _timed(lambda: asyncio.sleep(IDLE_SECONDS))

        async def send_alone() -> None:
            for number in range(ALONE):
                # Numbers that this process hasn't read before.
                to = _number(number).replace("555", "556")
                await desk.send(AlertRequest("text", to, _body(number)))

        _, alone_cpu, _ = await _timed(send_alone)
        _, ends_cpu, _ = await _timed(lambda: _until_over(desk))
    return Sent(
        TEXTS / seconds,
        cpu / TEXTS * 1000,
        half_way,
        end,
        idle_cpu / IDLE_SECONDS * 100,
        alone_cpu / ALONE * 1000,
        (alone_cpu + ends_cpu) / ALONE * 1000,
    )


def _desk(simulator: str, url: str) -> Desk:
    from pydantic import SecretStr  # noqa: PLC0415 - as above

    from alerts import Desk  # noqa: PLC0415
    from alerts.phone_numbers import Regions  # noqa: PLC0415
    from alerts.services import Services  # noqa: PLC0415
    from storage import InlineStorage  # noqa: PLC0415

    services = Services(
        twilio=TwilioClient(ACCOUNT_SID, TOKEN, base_url=simulator),
        storage=InlineStorage(),
        from_number=FROM_NUMBER,
        regions=Regions(),
        database_url=SecretStr(url),
        calls_per_second=NO_LIMIT,
        texts_per_second=NO_LIMIT,
        alerts_per_number_per_hour=NO_LIMIT,
        alerts_per_person_per_hour=None,
    )
    return Desk(services)


async def _until_sent(desk: Desk, count: int) -> None:
    """Wait until Twilio has `count` texts."""
    from alerts.tables import alerts  # noqa: PLC0415 - as above

    while _count(desk, alerts.c.sid.is_not(None)) < count:  # noqa: ASYNC110
        await asyncio.sleep(0.05)


async def _until_over(desk: Desk) -> None:
    """Wait until no alert is open any more."""
    from alerts.tables import alerts  # noqa: PLC0415 - as above

    while _count(desk, alerts.c.is_open):  # noqa: ASYNC110
        await asyncio.sleep(0.05)


def _count(desk: Desk, condition: ColumnElement[bool]) -> int:
    from sqlalchemy import func, select  # noqa: PLC0415 - as above

    count = select(func.count()).where(condition)
    with _engine(desk.services.database_url.get_secret_value()).connect() as connection:
        return connection.scalar(count) or 0


@cache
def _engine(database_url: str) -> Engine:
    from database.connecting import engine_for, parsed  # noqa: PLC0415 - as above

    return engine_for(parsed(database_url), 1)


async def _timed(work: Callable[[], Awaitable[Found]]) -> tuple[float, float, Found]:
    """Await `work()`; returns the seconds and CPU seconds that it took, and its result."""
    began, cpu = time.perf_counter(), time.process_time()
    found = await work()
    return time.perf_counter() - began, time.process_time() - cpu, found


def _memory_mb() -> float:
    """The memory of this process in MB; 0 if the system doesn't tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _number(number: int) -> str:
    return f"+1412555{2000 + number % NUMBERS:04}"


def _body(number: int) -> str:
    return f"Batch {number} shows signs of diacetyl."


if __name__ == "__main__":
    print_table(measure())
