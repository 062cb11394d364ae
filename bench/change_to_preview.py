"""How long 40 and 100 people at once wait for the preview to follow what they write.

    python -m bench.change_to_preview

Each changes the message once a second, evenly spread, and ten of them press Send at the same
moment, every 5 seconds, on a Twilio that takes a second. The peer is a bare Shiny app of one input
and one output, whose visitors write as often and send nothing. The clock runs from sending a change
to receiving the preview that contains it. The two take turns; the round with the middle p95 of each
counts, and the worst is listed too.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import count
from statistics import median, quantiles

import aiohttp

from bench import processes, send_page, slow_server
from bench.results import Result, Target, print_table
from bench.session import PageSession, opened

VISITORS = (40, 100)
SENDERS = 10
SECONDS = 12
ROUNDS = 3
SECONDS_BETWEEN_PRESSES = 5
FIRST_PRESS_SECONDS = 1.5
S3_MS = 40
TWILIO_MS = 1000
# A change without a preview after this long counts as lost, which is an error.
PATIENCE_SECONDS = 120
# For the larger number of visitors.
TARGET = Target("ours", "≤", 100)


@dataclass(frozen=True, slots=True)
class Page:
    """The part of a page that is measured: the input that changes and the output that follows."""

    message: str
    preview: str
    inputs: Mapping[str, object]
    outputs: Sequence[str]


SEND_PAGE = Page(send_page.MESSAGE, send_page.PREVIEW, send_page.INPUTS, send_page.OUTPUTS)
BARE_PAGE = Page("message", "preview", {"message": "Hello"}, ("preview",))


@dataclass(frozen=True, slots=True)
class Waits:
    """Milliseconds from change to preview, and the share of its core that the clients used.

    `lost` counts the visitors whose session the server ended, as it does when it is too busy to
    hear their answers to its pings.
    """

    milliseconds: list[float]
    lost: int
    client_load: float

    @property
    def p95(self) -> float:
        """The 95th percentile: 19 of 20 changes take less."""
        return quantiles(self.milliseconds, n=20)[-1]


def measure() -> list[Result]:
    """Milliseconds from change to preview, for each number of visitors."""
    return [result for visitors in VISITORS for result in _results(visitors)]


def _results(visitors: int) -> list[Result]:
    """p95 (which has the target), the worst round's, median, longest, and the clients' load."""
    rounds = [(_bare(visitors), _ours(visitors)) for _ in range(ROUNDS)]
    bare, worst_bare = _middle_and_worst([bare for bare, _ in rounds])
    ours, worst_ours = _middle_and_worst([ours for _, ours in rounds])
    name = f"Change to preview, {visitors} visitors"
    target = TARGET if visitors == max(VISITORS) else None
    return [
        Result(f"{name} (p95)", "ms", ours.p95, bare.p95, target),
        Result(f"{name} (p95, worst round)", "ms", worst_ours.p95, worst_bare.p95),
        Result(f"{name} (median)", "ms", median(ours.milliseconds), median(bare.milliseconds)),
        Result(f"{name} (longest)", "ms", max(ours.milliseconds), max(bare.milliseconds)),
        Result(f"Sessions lost of {visitors}", "", ours.lost, bare.lost),
        Result("Load of the clients' core", "%", ours.client_load * 100, bare.client_load * 100),
    ]


def _middle_and_worst(rounds: Sequence[Waits]) -> tuple[Waits, Waits]:
    by_p95 = sorted(rounds, key=lambda waits: waits.p95)
    return by_p95[len(rounds) // 2], by_p95[-1]


def _bare(visitors: int) -> Waits:
    with processes.running(processes.BARE_APP, {}) as address:
        return asyncio.run(_write(address, BARE_PAGE, visitors, senders=0))


def _ours(visitors: int) -> Waits:
    with (
        slow_server.running(S3_MS) as s3,
        slow_server.running(TWILIO_MS) as twilio,
        processes.copied_app() as app,
        processes.running(app, send_page.with_account(twilio, s3)) as address,
    ):
        return asyncio.run(_write(address, SEND_PAGE, visitors, senders=SENDERS))


async def _write(address: str, page: Page, count: int, senders: int) -> Waits:
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        )
        reading = await stack.enter_async_context(asyncio.TaskGroup())
        visitors: list[Visitor] = []
        for number in range(count):
            # Each calls another number, because calls to one number go one after another. It is in
            # the field from the start: a browser sends no field that hasn't changed.
            inputs = page.inputs
            if number < senders:
                inputs = {**inputs, send_page.NUMBER: f"(412) 857-{4300 + number}"}
            session = await stack.enter_async_context(opened(http, address, inputs, page.outputs))
            visitor = Visitor(number, number / count, page, session)
            visitors.append(visitor)
            # Read from now on, because the server ends a session that leaves its pings unread for
            # 20 s, and opening all pages may take longer than that.
            visitor.reading = reading.create_task(visitor.read())
        began, cpu = time.perf_counter(), time.process_time()
        async with asyncio.timeout(SECONDS + PATIENCE_SECONDS):
            await asyncio.gather(
                *(visitor.write(began) for visitor in visitors),
                *(visitor.reading for visitor in visitors if visitor.reading),
                *(visitor.send(began) for visitor in visitors[:senders]),
            )
        load = (time.process_time() - cpu) / (time.perf_counter() - began)
    waits = [wait for visitor in visitors for wait in visitor.waits]
    return Waits(waits, sum(visitor.is_lost for visitor in visitors), load)


class Visitor:
    """A visitor who changes the message; some of them also send."""

    def __init__(self, number: int, offset: float, page: Page, session: PageSession) -> None:
        self.waits: list[float] = []
        self.is_lost = False
        self.reading: asyncio.Task[None] | None = None
        self._number = number
        self._offset_seconds = offset
        self._page = page
        self._session = session
        self._waiting: dict[str, float] = {}

    async def write(self, began: float) -> None:
        """Change the message once a second, whether or not the last preview has come."""
        for second in range(SECONDS):
            await _until(began + second + self._offset_seconds)
            if self.is_lost:
                return
            text = f"Batch {self._number} has been off for {second} s."
            self._waiting[text] = time.perf_counter()
            await self._change(**{self._page.message: text})

    async def read(self) -> None:
        """Note how long each preview took, up to the last or until the session is lost."""
        while len(self.waits) < SECONDS and not self.is_lost:
            try:
                message = await self._session.receive()
            except ConnectionError:
                self.is_lost = True
                return
            # Search it as text, because parsing the JSON of all messages would take too long.
            if f'"{self._page.preview}":' not in message:
                continue
            for text in [text for text in self._waiting if text in message]:
                self.waits.append((time.perf_counter() - self._waiting.pop(text)) * 1000)

    async def send(self, began: float) -> None:
        """Press the button every few seconds, all senders at once."""
        for presses in count(1):
            pause = FIRST_PRESS_SECONDS + SECONDS_BETWEEN_PRESSES * (presses - 1)
            if pause >= SECONDS or self.is_lost:
                return
            await _until(began + pause)
            await self._change(**send_page.press(presses))

    async def _change(self, **inputs: object) -> None:
        try:
            await self._session.change(**inputs)
        except ConnectionError:
            self.is_lost = True


async def _until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.perf_counter()))


if __name__ == "__main__":
    print_table(measure())
