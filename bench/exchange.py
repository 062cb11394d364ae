"""How much load the simulator can take: `python -m simulator` on one core, 500 calls at once.

    python -m bench.exchange

The calls are placed as fast as the simulator accepts them, at 20 simulated seconds a second; each
hears ten sentences and nine pauses, about two minutes, from TwiML in the request itself. The
simulator runs in a process of its own, bound to one core where the system can do that.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time

import aiohttp

from bench.results import Result, Target
from bench.simulator_process import Simulator, running

CALLS = 500
IN_FLIGHT = 50
FETCHES = 100
STARTS = 5
SPEED = 20
IMPORTS = "import httpx, phonenumbers, starlette.applications, uvicorn"
ACCOUNT_SID, TOKEN = "AC" + "0" * 32, "0" * 32
PATH = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Calls"
SENTENCE = "<Say>This is what everybody on the line hears now.</Say>"
TWIML = "<Pause length='10'/>".join([SENTENCE] * 10)
CALL = {
    "To": "+14125550199",
    "From": "+15005550006",
    "Twiml": f"<Response>{TWIML}</Response>",
}


def _start() -> float:
    started = time.perf_counter()
    with running(SPEED, on_one_core=True):
        return time.perf_counter() - started


def _import() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", IMPORTS], check=True)
    return time.perf_counter() - started


class _Client:
    """Places and fetches calls over warm connections."""

    def __init__(self, http: aiohttp.ClientSession, address: str) -> None:
        self._http = http
        self._address = address

    async def place(self) -> str:
        async with self._http.post(f"{self._address}{PATH}.json", data=CALL) as response:
            sid: str = (await response.json())["sid"]
            return sid

    async def place_all(self) -> list[str]:
        sids: list[str] = []
        left = iter(range(CALLS))

        async def work() -> None:
            for _ in left:
                sids.append(await self.place())

        await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
        return sids

    async def fetch_ms(self, sid: str) -> float:
        """Median milliseconds of FETCHES fetches, one after the other."""
        times = []
        for _ in range(FETCHES):
            started = time.perf_counter()
            async with self._http.get(f"{self._address}{PATH}/{sid}.json") as response:
                await response.read()
            times.append((time.perf_counter() - started) * 1000)
        return statistics.median(times)

    async def most_live(self) -> int:
        """How many calls are in progress at once, when the number has stopped growing."""
        query = {"Status": "in-progress", "PageSize": "1000"}
        most = -1
        while True:
            async with self._http.get(f"{self._address}{PATH}.json", params=query) as response:
                live = len((await response.json())["calls"])
            if live <= most:
                return most
            most = live
            await asyncio.sleep(0.2)

    async def duration(self, sid: str) -> int:
        """Simulated seconds that a call has taken, once it is over."""
        while True:
            async with self._http.get(f"{self._address}{PATH}/{sid}.json") as response:
                found = await response.json()
            if found["status"] == "completed":
                return int(found["duration"])
            await asyncio.sleep(0.05)


async def _measure_calls(simulator: Simulator) -> dict[str, float]:
    credentials = aiohttp.encode_basic_auth(ACCOUNT_SID, TOKEN)
    async with aiohttp.ClientSession(headers={"Authorization": credentials}) as http:
        client = _Client(http, simulator.address)
        alone = await client.place()
        idle_ms = await client.fetch_ms(alone)
        duration_alone = await client.duration(alone)
        cpu, began = simulator.cpu_seconds(), time.perf_counter()
        sids = await client.place_all()
        placed = time.perf_counter()
        live = await client.most_live()
        busy_ms = await client.fetch_ms(sids[-1])
        durations = [await client.duration(sid) for sid in sids]
        ended = time.perf_counter()
        return {
            "live": live,
            "placed_per_second": CALLS / (placed - began),
            "idle_ms": idle_ms,
            "busy_ms": busy_ms,
            "duration_alone": duration_alone,
            "longest_duration": max(durations),
            "cpu_share": (simulator.cpu_seconds() - cpu) / (ended - began),
        }


def figures() -> dict[str, float]:
    """Everything measured, by name; the starts are medians of STARTS, in seconds."""
    starts = {
        "start": statistics.median(_start() for _ in range(STARTS)),
        "imports": statistics.median(_import() for _ in range(STARTS)),
    }
    with running(SPEED, on_one_core=True) as simulator:
        return starts | asyncio.run(_measure_calls(simulator))


def measure() -> list[Result]:
    """The figures as rows of the table."""
    found = figures()
    return [
        Result("Simulator's start", "s", found["start"], found["imports"], Target("ours", "≤", 1)),
        Result("Simulated calls live at once", "", found["live"], CALLS, Target("ratio", "≥", 1)),
        Result("Fetch with 500 simulated calls", "ms", found["busy_ms"], found["idle_ms"]),
        Result(
            "Longest of 500 simulated calls",
            "s",
            found["longest_duration"],
            found["duration_alone"],
            Target("ratio", "≤", 1.1),
        ),
    ]


def main() -> None:
    found = figures()
    print(f"start       {found['start']:6.2f} s, of which imports {found['imports']:.2f} s")
    print(f"live calls  {found['live']:6.0f} of {CALLS}")
    print(f"placed      {found['placed_per_second']:6.0f} calls a second")
    print(f"fetch       {found['busy_ms']:6.2f} ms, {found['idle_ms']:.2f} ms with one call")
    print(
        f"longest     {found['longest_duration']:6.0f} simulated seconds, "
        f"{found['duration_alone']:.0f} alone"
    )
    print(f"CPU         {found['cpu_share'] * 100:6.0f} % of a core, from first to last")


if __name__ == "__main__":
    main()
