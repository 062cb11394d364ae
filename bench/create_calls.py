"""How fast TwilioClient places calls, beside bare aiohttp sending the same requests.

    python -m bench.create_calls

1,000 calls, 50 in flight, to a server that takes 80 ms for each. The two take turns, and the best
round of each counts, because other work on the machine can only make a round slower.
"""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable

import aiohttp

from bench.slow_server import running
from twilio_client import TwilioClient

CALLS = 1000
IN_FLIGHT = 50
DELAY_MS = 80
ROUNDS = 3
ACCOUNT_SID = "AC" + "0" * 32
TOKEN = "0" * 32
CALL = {"to": "+15558675310", "from_": "+15017122661", "url": "https://example.com/twiml/a.xml"}

PlaceCall = Callable[[], Awaitable[object]]


async def measure() -> dict[str, float]:
    """Measure calls per second and CPU milliseconds per call, ours and bare aiohttp's."""
    ours: list[tuple[float, float]] = []
    bare: list[tuple[float, float]] = []
    with running(DELAY_MS) as address:
        for _ in range(ROUNDS):
            ours.append(await _ours(address))
            bare.append(await _bare(address))
    return {
        "calls_per_second": max(rate for rate, _ in ours),
        "bare_calls_per_second": max(rate for rate, _ in bare),
        "ratio": max(rate for rate, _ in ours) / max(rate for rate, _ in bare),
        "cpu_ms_per_call": min(cpu for _, cpu in ours),
        "bare_cpu_ms_per_call": min(cpu for _, cpu in bare),
    }


async def _ours(address: str) -> tuple[float, float]:
    async with TwilioClient(ACCOUNT_SID, TOKEN, base_url=address) as client:
        return await _timed(lambda: client.create_call(**CALL))  # type: ignore[arg-type]


async def _bare(address: str) -> tuple[float, float]:
    form = {"To": CALL["to"], "From": CALL["from_"], "Url": CALL["url"], "Method": "GET"}
    authorization = b64encode(f"{ACCOUNT_SID}:{TOKEN}".encode()).decode()
    async with aiohttp.ClientSession(headers={"Authorization": f"Basic {authorization}"}) as http:

        async def place() -> object:
            path = f"{address}/2010-04-01/Accounts/{ACCOUNT_SID}/Calls.json"
            async with http.post(path, data=form) as response:
                return await response.json()

        return await _timed(place)


async def _timed(place: PlaceCall) -> tuple[float, float]:
    """Place all calls, IN_FLIGHT at a time; calls per second and CPU milliseconds per call."""
    await _place(place, IN_FLIGHT)  # opens the connections
    wall, cpu = time.perf_counter(), time.process_time()
    await _place(place, CALLS)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return CALLS / wall, cpu / CALLS * 1000


async def _place(place: PlaceCall, calls: int) -> None:
    left = iter(range(calls))

    async def work() -> None:
        for _ in left:
            await place()

    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))


def main() -> None:
    found = asyncio.run(measure())
    print(f"{CALLS:,} calls, {IN_FLIGHT} in flight, {DELAY_MS} ms server")
    print("                calls/s   CPU ms each")
    print(f"TwilioClient    {found['calls_per_second']:7.0f}   {found['cpu_ms_per_call']:11.2f}")
    print(
        f"bare aiohttp    {found['bare_calls_per_second']:7.0f}   "
        f"{found['bare_cpu_ms_per_call']:11.2f}"
    )
    print(f"ratio           {found['ratio']:7.2f}   (0.85 or more, at 1 ms or less)")


if __name__ == "__main__":
    main()
