"""Whether a process that is kept busy for long loses no alert, sends none twice and doesn't grow.

    python -m bench.soak --minutes 60

50 visitors send calls and broadcasts from their pages, which they close and open again, while a
rule watches a file that grows. One process serves the app on SQLite; the simulator, in another, is
its Twilio, fetches each document and reports each status and key press. At the end everything that
was asked for must have been told once, in the history and by the simulator's own list. The memory
and the open files of the last quarter are compared with those of the second, because the first
fills caches. The log must hold no error. Exits with 1 if something was wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import aiohttp

from bench import send_page, simulator_process
from bench.processes import copied_app, served, surroundings
from bench.session import Message, PageSession, opened
from simulator import SIMULATOR_ACCOUNT_SID, SIMULATOR_AUTH_TOKEN, SIMULATOR_FROM_NUMBER
from tests.support.servers import free_port

# Fast, so that calls end soon. The simulator keeps 10,000 calls, which limits how many are made.
SPEED = 50
MOST_CALLS = 8_000
LEAST_PAUSE_SECONDS = 1.5  # the button is busy for a second
ROUNDS_A_SESSION = 4
BROADCAST_EVERY = 10  # rounds
PEOPLE_IN_BROADCAST = 3
SAMPLES = 200
SETTLE_SECONDS = 60.0
ENDED_WELL = ("completed", "acknowledged")
UNDER_WAY = ("queued", "sending", "placed", "ringing", "answered")
# Presses 1 when asked; at other numbers a person listens to the end.
CONFIRMS = "+14125550106"
MOST_GROWTH, FREE_GROWTH_MB, MORE_FILES = 1.10, 15, 20
# In shorter soaks caches are still filling.
LEAST_SECONDS = 600
WRONG_IN_LOG = re.compile(r"Traceback|never retrieved|^ERROR|\bERROR\b|Exception in", re.MULTILINE)
# Shiny prints this about a timer whose session ends at that very moment, which is harmless.
OF_SHINY = re.compile(
    r'^Traceback .*\n +File "[^"]*shiny/reactive/_core.py", line \d+, in _task\n'
    r"(?: .*\n)*asyncio.exceptions.CancelledError\n",
    re.MULTILINE,
)
RULE = """
[[rule]]
name = "Soak"
sql = "SELECT batch, phone FROM soak WHERE ppb > 200"
key = ["batch"]
message = "Batch {{ batch }} is off."
to_column = "phone"
check = "every 2 seconds"
most_at_once = 1000
"""


@dataclass
class Asked:
    """What was asked for: ids of alerts and of broadcasts by the pages, and bad rows' batches."""

    alerts: set[str] = field(default_factory=set)
    broadcasts: set[str] = field(default_factory=set)
    batches: int = 0
    troubles: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Sample:
    """The app's memory in MB, and how many files and sockets it has open."""

    memory_mb: float
    files: int


@dataclass(frozen=True)
class Soaked:
    """The result of a soak; `troubles` are sentences, none if all was well."""

    alerts: int
    sessions: int
    samples: Sequence[Sample]
    troubles: Sequence[str]


def soak(seconds: float, visitors: int) -> Soaked:
    """Keep an app busy for `seconds`, and return what went wrong."""
    with copied_app() as app, simulator_process.running(SPEED) as simulator:
        folder, port = app.parent, free_port()
        environment = _environment(folder, simulator.address, port)
        _write_rule(folder)
        _alerts(folder, environment, "rules", "load", "rules.toml", "--on")
        log = folder / "app.log"
        with served(app, environment, port, log) as process:
            busy = _Busy(process.address, process.pid, folder, seconds, visitors)
            asyncio.run(busy.run())
            asyncio.run(_settle(folder, busy.asked))
            made = asyncio.run(_calls_made(simulator.address))
        told = _told(folder)
        if not (busy.asked.alerts and busy.asked.batches):
            busy.asked.troubles.append("Nothing was asked for.")
        troubles = [
            *busy.asked.troubles[:5],
            *missing_or_double(busy.asked, told, made),
            *growth(busy.samples, seconds),
            *_logged(log.read_text(encoding="utf-8", errors="replace")),
        ]
        return Soaked(len(told), busy.sessions, busy.samples, troubles)


@dataclass(frozen=True)
class Told:
    """An alert in the history: its id, what asked for it, its number and words, how it went.

    `submissions` are its requests that Twilio accepted, or may have.
    """

    id: str
    broadcast: str
    rule: str
    to: str
    words: str
    status: str
    submissions: int
    sid: str


def missing_or_double(asked: Asked, told: Sequence[Told], made: Sequence[str]) -> list[str]:
    """Return a sentence for everything that was lost, told twice or not ended.

    `made` are the SIDs of all calls that the simulator has had.
    """
    found = []
    known = {each.id for each in told}
    if lost := asked.alerts - known:
        found.append(f"{len(lost):,} alerts that a page sent aren't in the history.")
    sizes = Counter(each.broadcast for each in told if each.broadcast)
    wrong = [each for each in asked.broadcasts if sizes[each] != PEOPLE_IN_BROADCAST]
    if wrong:
        found.append(f"{len(wrong):,} broadcasts don't have {PEOPLE_IN_BROADCAST} alerts.")
    by_rule = Counter(each.words for each in told if each.rule)
    if len(by_rule) != asked.batches:
        found.append(f"The rule told of {len(by_rule):,} of {asked.batches:,} batches.")
    pairs = Counter((each.to, each.words) for each in told)
    twice = [pair for pair, count in pairs.items() if count > 1]
    again = [each for each in told if each.submissions > 1]
    if twice or again:
        found.append(f"{len(twice) + len(again):,} were told twice, such as {(twice or again)[0]}.")
    if open_ := [each for each in told if each.status not in ENDED_WELL]:
        found.append(f"{len(open_):,} alerts didn't end well, such as {open_[0]}.")
    sids = Counter(made)
    if unknown := sids.keys() - {each.sid for each in told}:
        found.append(f"{len(unknown):,} calls were made that no alert knows of.")
    if never := {each.sid for each in told} - sids.keys():
        found.append(f"{len(never):,} alerts have a call that was never made.")
    return found


def growth(samples: Sequence[Sample], seconds: float) -> list[str]:
    """Return what has grown between the second and the last quarter of `seconds`."""
    if seconds < LEAST_SECONDS:
        return []
    quarter = len(samples) // 4
    second, last = samples[quarter : 2 * quarter], samples[-quarter:]
    before, after = (median(each.memory_mb for each in some) for some in (second, last))
    found = []
    if after > before * MOST_GROWTH + FREE_GROWTH_MB:
        found.append(f"Memory grew from {before:.0f} to {after:.0f} MB.")
    files, more = (median(each.files for each in some) for some in (second, last))
    if more > files + MORE_FILES:
        found.append(f"Open files grew from {files:.0f} to {more:.0f}.")
    return found


class _Busy:
    """Visitors and a growing file, for some seconds."""

    def __init__(self, address: str, pid: int, folder: Path, seconds: float, visitors: int) -> None:
        self.asked = Asked()
        self.samples: list[Sample] = []
        self.sessions = 0
        self._address, self._pid, self._folder = address, pid, folder
        self._seconds, self._visitors = seconds, visitors
        self._end = 0.0

    async def run(self) -> None:
        async with (
            aiohttp.ClientSession(headers={"Origin": self._address}) as http,
            opened(http, self._address, send_page.INPUTS, send_page.OUTPUTS),
        ):
            pass  # the first page waits for imports
        self._end = time.monotonic() + self._seconds
        async with asyncio.TaskGroup() as group:
            for visitor in range(self._visitors):
                group.create_task(self._visit(visitor))
            group.create_task(self._grow())
            group.create_task(self._sample())

    def _left(self) -> float:
        return self._end - time.monotonic()

    async def _visit(self, visitor: int) -> None:
        pause = max(LEAST_PAUSE_SECONDS, self._seconds * self._visitors / MOST_CALLS * 1.2)
        await asyncio.sleep(pause * visitor / self._visitors)
        rounds = 0
        async with aiohttp.ClientSession(headers={"Origin": self._address}) as http:
            while self._left() > 0 or not rounds:
                try:
                    rounds = await self._session(http, visitor, rounds, pause)
                except (TimeoutError, ConnectionError, aiohttp.ClientError) as problem:
                    self.asked.troubles.append(f"A page of visitor {visitor}: {problem!r}.")
                    return

    async def _session(
        self, http: aiohttp.ClientSession, visitor: int, rounds: int, pause: float
    ) -> int:
        """Open a page, send from it a few times, and close it; returns the rounds so far."""
        inputs, outputs = send_page.INPUTS, send_page.OUTPUTS
        async with opened(http, self._address, inputs, outputs) as page:
            self.sessions += 1
            for press in range(1, ROUNDS_A_SESSION + 1):
                if self._left() <= 0 and rounds:
                    break
                rounds += 1
                await self._send(page, visitor, rounds, press)
                await _idle(page, pause)
        return rounds

    async def _send(self, page: PageSession, visitor: int, rounds: int, press: int) -> None:
        asks, is_broadcast = rounds % 5 == 0, rounds % BROADCAST_EVERY == 0
        people = [f"+1412556{visitor:04}"]
        if asks:
            people = [CONFIRMS]
        elif is_broadcast:
            people = [f"+1412557{visitor:03}{each}" for each in range(PEOPLE_IN_BROADCAST)]
        message = f"Visitor {visitor}, round {rounds}."
        typed = {
            send_page.NUMBER: ", ".join(people),
            send_page.MESSAGE: message,
            "send-acknowledge": asks,
        }
        await page.change(**typed)
        # The button names the recipients once the page has read what was typed.
        label = "send-send_label"
        if is_broadcast and not asks:
            await page.until(lambda told: f"{PEOPLE_IN_BROADCAST} people" in _value(told, label))
        await page.change(**send_page.press(press))
        address: dict[str, str] = {}
        is_ready = False
        # A visitor can't press again before the button is ready, which may take a while.
        while not (address and is_ready):
            told = await page.until(lambda told: bool(_address_in(told) or _is_ready(told)))
            address = _address_in(told) or address
            is_ready = is_ready or _is_ready(told)
        if alert := address.get("alert"):
            self.asked.alerts.add(alert)
        if broadcast := address.get("broadcast"):
            self.asked.broadcasts.add(broadcast)

    async def _grow(self) -> None:
        pause = max(1.0, self._seconds / 600)
        while self._left() > 3:
            self.asked.batches += 1
            number = f"+1412558{self.asked.batches % 20:04}"
            with (self._folder / "data" / "soak.csv").open("a") as file:
                file.write(f"B{self.asked.batches},{number},250\n")
            await asyncio.sleep(pause)

    async def _sample(self) -> None:
        while self._left() > 0:
            self.samples.append(_sample_of(self._pid))
            await asyncio.sleep(max(0.5, self._seconds / SAMPLES))


async def _idle(page: PageSession, seconds: float) -> None:
    """Read what the app sends, as a browser does, for some seconds."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                await page.receive()
    except TimeoutError:
        return


def _value(message: Message, output: str) -> str:
    return str(message.get("values", {}).get(output, ""))


def _address_in(message: Message) -> dict[str, str] | None:
    """Return what the page is told to put into its address, once something was sent."""
    shown = message.get("custom", {}).get("callboard-address")
    return shown if isinstance(shown, dict) and any(shown.values()) else None


def _is_ready(message: Message) -> bool:
    """Whether the page is told that its button can be pressed again."""
    ready = {"id": send_page.BUTTON, "message": {"state": "ready"}}
    return ready in message.get("inputMessages", [])


def _sample_of(pid: int) -> Sample:
    status = Path(f"/proc/{pid}/status").read_text()
    kilobytes = int(re.findall(r"VmRSS:\s+(\d+)", status)[0])
    return Sample(kilobytes / 1024, len(os.listdir(f"/proc/{pid}/fd")))


async def _settle(folder: Path, asked: Asked) -> None:
    """Wait, up to a limit, until everything has ended and the rule has found every row."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline:
        told = _told(folder)
        are_over = not any(each.status in UNDER_WAY for each in told)
        if are_over and sum(bool(each.rule) for each in told) >= asked.batches:
            return
        await asyncio.sleep(0.5)


async def _calls_made(simulator: str) -> list[str]:
    """The SIDs of all calls that the simulator knows."""
    found: list[str] = []
    path: str | None = f"/2010-04-01/Accounts/{SIMULATOR_ACCOUNT_SID}/Calls.json?PageSize=1000"
    login = aiohttp.encode_basic_auth(SIMULATOR_ACCOUNT_SID, SIMULATOR_AUTH_TOKEN)
    async with aiohttp.ClientSession(headers={"Authorization": login}) as http:
        while path:
            async with http.get(f"{simulator}{path}") as answer:
                page = await answer.json()
            found += [each["sid"] for each in page["calls"]]
            path = page["next_page_uri"]
    return found


def _told(folder: Path) -> list[Told]:
    """Every alert in the history."""
    wanted = """
        SELECT id, COALESCE(broadcast_id, ''), COALESCE(rule_id, ''), request, status,
               (SELECT COUNT(*) FROM submissions WHERE alert_id = alerts.id
                   AND COALESCE(outcome, 'unknown') IN ('placed', 'unknown')), COALESCE(sid, '')
        FROM alerts
    """
    file = folder / "data" / "soak.sqlite"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as history:
        return [_told_in(row) for row in history.execute(wanted)]


def _told_in(row: tuple[str, str, str, str, str, int, str]) -> Told:
    alert_id, broadcast, rule, request, status, submissions, sid = row
    asked = json.loads(request)
    words = f"{asked['message']} {asked.get('variables') or ''}"
    return Told(alert_id, broadcast, rule, asked["to"], words, status, submissions, sid)


def _logged(log: str) -> Iterator[str]:
    log = OF_SHINY.sub("", log)
    if wrong := WRONG_IN_LOG.search(log):
        about = log[max(0, wrong.start() - 200) : wrong.start() + 1500]
        yield f"The log holds an error:\n{about}"


def _write_rule(folder: Path) -> None:
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "soak.csv").write_text("batch,phone,ppb\nB0,+14125580000,0\n")
    source = f'[soak]\nfile = "{folder / "data" / "soak.csv"}"\n'
    (folder / "soak.toml").write_text(source)
    (folder / "rules.toml").write_text(RULE)


def _alerts(folder: Path, environment: Mapping[str, str], *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "alerts", *arguments],
        cwd=folder,
        env={**surroundings(folder), **environment},
        check=True,
    )


def _environment(folder: Path, simulator: str, port: int) -> dict[str, str]:
    return {
        "TWILIO_ACCOUNT_SID": SIMULATOR_ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": SIMULATOR_AUTH_TOKEN,
        "TWILIO_FROM_NUMBER": SIMULATOR_FROM_NUMBER,
        "TWILIO_BASE_URL": simulator,
        "TWILIO_CALLS_PER_SECOND": "1000",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "DATABASE_URL": f"sqlite:///{folder / 'data' / 'soak.sqlite'}",
        "SOURCES_FILE": str(folder / "soak.toml"),
        "ALERTS_PER_NUMBER_PER_HOUR": "100000",
        "ALERTS_PER_PERSON_PER_HOUR": "100000",
        "ALLOW_ANONYMOUS": "1",
    }


def main() -> int:
    """Read the command line, soak, and print the result."""
    parser = argparse.ArgumentParser("python -m bench.soak")
    parser.add_argument("--minutes", type=float, default=3, help="default: %(default)s")
    parser.add_argument("--visitors", type=int, default=50, help="default: %(default)s")
    chosen = parser.parse_args()
    came_to = soak(chosen.minutes * 60, chosen.visitors)
    first, last = came_to.samples[len(came_to.samples) // 4], came_to.samples[-1]
    print(
        f"{came_to.alerts:,} alerts in {came_to.sessions:,} sessions; memory "
        f"{first.memory_mb:.0f} MB after a quarter, {last.memory_mb:.0f} MB at the end; open files "
        f"{first.files} and {last.files}."
    )
    for each in came_to.troubles:
        print(each, file=sys.stderr)
    return 1 if came_to.troubles else 0


if __name__ == "__main__":
    sys.exit(main())
