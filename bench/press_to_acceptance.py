"""How long a press of the button takes until Twilio has the call, beside the two bare requests.

    python -m bench.press_to_acceptance

S3 takes 40 ms and Twilio 80 ms. The clock runs where the browser would be, from sending the press
to reading a `progress` that says `placed`, so the way back to the page counts too. The floor is the
same two requests, made bare and in turn between the presses, over warm connections.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from contextlib import AsyncExitStack
from statistics import median
from urllib.request import urlopen

import aiohttp

from bench import processes, send_page, slow_server
from bench.results import Result, Target, print_table
from bench.session import Message, PageSession, opened

PRESSES = 40
WARM_UPS = 3
S3_MS = 40
TWILIO_MS = 80
AT_MOST = Target("ratio", "≤", 1.2)
EXACTLY_ONE = Target("ours", "=", 1)
# Only with a clock time: the same words without one are a step that is still to come.
ACCEPTED = re.compile(r'Accepted by Twilio</span><span class="time">\d')
DOCUMENT = (
    '<?xml version="1.0" encoding="UTF-8"?><Response><Say voice="alice" language="en-GB" loop="3">'
    "Greetings, it is currently 9:42 am on Friday. Batch 1407 shows signs of diacetyl."
    "</Say></Response>"
)
FORM = {
    "To": "+14128574309",
    "From": "+15017122661",
    "Url": "https://twilio-xml.s3.us-east-1.amazonaws.com/twiml/2026-11-23-0942-ann.xml",
    "Method": "GET",
}


def measure() -> list[Result]:
    """Median milliseconds from press to acceptance, beside the floor; and the requests a press."""
    with (
        slow_server.running(S3_MS) as s3,
        slow_server.running(TWILIO_MS) as twilio,
        processes.copied_app() as app,
        processes.running(app, send_page.with_account(twilio, s3)) as address,
    ):
        # The bare requests have servers of their own, so that the app's can be counted.
        with slow_server.running(S3_MS) as bare_s3, slow_server.running(TWILIO_MS) as bare_twilio:
            pressed, bare = asyncio.run(_in_turn(address, bare_s3, bare_twilio))
        puts, posts = _count(s3, "PUT"), _count(twilio, "POST")
    presses = WARM_UPS + PRESSES
    return [
        Result("Press to acceptance", "ms", median(pressed), median(bare), AT_MOST),
        Result("PUTs to S3 a press", "", puts / presses, 1, EXACTLY_ONE),
        Result("POSTs to Twilio a press", "", posts / presses, 1, EXACTLY_ONE),
    ]


async def _in_turn(address: str, s3: str, twilio: str) -> tuple[list[float], list[float]]:
    pressed: list[float] = []
    bare: list[float] = []
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        page = await stack.enter_async_context(
            opened(http, address, send_page.INPUTS, send_page.OUTPUTS)
        )
        for count in range(1, WARM_UPS + PRESSES + 1):
            pressed.append(await _press(page, count))
            bare.append(await _bare(http, s3, twilio))
    return pressed[WARM_UPS:], bare[WARM_UPS:]


async def _press(page: PageSession, count: int) -> float:
    """Press the button; returns the milliseconds until the page says that Twilio has the call."""
    started = time.perf_counter()
    await page.change(**send_page.press(count))
    await page.until(_says_placed)
    milliseconds = (time.perf_counter() - started) * 1000
    await page.until(_button_is_ready)
    return milliseconds


async def _bare(http: aiohttp.ClientSession, s3: str, twilio: str) -> float:
    started = time.perf_counter()
    key = f"{s3}/twilio-xml/twiml/document.xml"
    async with http.put(key, data=DOCUMENT, headers={"Content-Type": "text/xml"}) as stored:
        await stored.read()
    async with http.post(f"{twilio}/2010-04-01/Accounts/AC0/Calls.json", data=FORM) as accepted:
        await accepted.json()
    return (time.perf_counter() - started) * 1000


def _says_placed(message: Message) -> bool:
    progress = message.get("values", {}).get(send_page.PROGRESS)
    return progress is not None and ACCEPTED.search(progress["html"]) is not None


def _button_is_ready(message: Message) -> bool:
    ready = {"id": send_page.BUTTON, "message": {"state": "ready"}}
    return ready in message.get("inputMessages", [])


def _count(address: str, method: str) -> int:
    with urlopen(f"{address}/count") as answer:  # noqa: S310 - an address of our own
        count: dict[str, int] = json.load(answer)
    return count.get(method, 0)


if __name__ == "__main__":
    print_table(measure())
