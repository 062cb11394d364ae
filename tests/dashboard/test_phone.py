"""The handset's logic in memory: what is pressed on it reaches the call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from shiny import Inputs, Outputs, Session, reactive
from shiny.testserver import AsyncTestServerSession
from shiny.testserver import test_server_async as serve_in_memory

from alerts import Alert, Status
from dashboard import phone
from dashboard.phone.texts import TextThread
from simulator import SIMULATOR_ACCOUNT_SID, SIMULATOR_FROM_NUMBER, LazyApp
from simulator.app import create_app
from tests.support import page_in_memory
from tests.support.alerts_by_hand import CALL, TEXT, alert_after_events, steps
from tests.support.stepped_exchange import text
from tests.support.waiting import until
from twilio_client import TwilioClient
from twiml import Gather, Response, Say

DOCUMENT = Response(Gather(Say("Press 1."), num_digits=1, timeout=20), Say("Nobody pressed."))


pytestmark = pytest.mark.usefixtures("fresh_lock")


@dataclass
class Visit:
    """A page with a handset, and the call that was made for it."""

    page: AsyncTestServerSession
    call: Any
    server: Callable[[Inputs, Outputs, Session], None]

    async def do(self, what: str, **value: str) -> None:
        await self.page.set_inputs(**{f"phone-{what}": value})

    async def until(self, condition: Callable[[], bool]) -> None:
        await page_in_memory.until(self.page, condition)


@pytest.fixture
async def visit() -> AsyncIterator[Visit]:
    simulator = LazyApp(lambda: create_app(speed=10))
    alert: reactive.Value[Alert | None] = reactive.Value(None)

    def server(input: Inputs, output: Outputs, session: Session) -> None:
        phone.server("phone", simulator, lambda: [sent] if (sent := alert()) else [])

    client = TwilioClient(
        SIMULATOR_ACCOUNT_SID,
        "anything",
        base_url="http://simulator.localhost",
        transport=httpx.ASGITransport(app=simulator),
    )
    async with client, serve_in_memory(server, timeout_secs=60) as page:
        placed = await client.create_call(
            to="+14128574309", from_=SIMULATOR_FROM_NUMBER, twiml=DOCUMENT.to_xml()
        )
        sent = alert_after_events(CALL, *steps(Status.PLACED, sid=placed.sid))
        async with reactive.lock():
            alert.set(sent)
            await reactive.flush()
        yield Visit(page, simulator.exchange.calls[placed.sid], server)


async def test_a_key_answers_what_the_call_asks(visit: Visit):
    await visit.until(lambda: visit.call.status == "ringing")
    await visit.do("answer")
    await visit.until(lambda: visit.call.gathering)
    await visit.do("key", key="1")
    await visit.until(lambda: visit.call.is_over)
    lines = [(line.kind, line.text) for line in visit.call.transcript]
    assert ("digits", "1") in lines
    assert ("say", "Press 1.") in lines


async def test_what_is_no_key_is_not_pressed(visit: Visit):
    await visit.until(lambda: visit.call.status == "ringing")
    await visit.do("answer")
    await visit.until(lambda: visit.call.gathering)
    await visit.do("key", key="<script>")
    await visit.do("hang_up")
    await visit.until(lambda: visit.call.is_over)
    assert not [line for line in visit.call.transcript if line.kind == "digits"]


async def test_declining_is_busy(visit: Visit):
    await visit.until(lambda: visit.call.status == "ringing")
    await visit.do("decline")
    await visit.until(lambda: visit.call.is_over)
    assert visit.call.status == "busy"


@pytest.mark.slow
async def test_a_page_that_closes_while_it_rings_leaves_the_call_to_the_directory(visit: Visit):
    await visit.until(lambda: visit.call.status == "ringing")
    await visit.page.__aexit__(None, None, None)
    async with asyncio.timeout(20):
        while not visit.call.is_over:
            await visit.call.clock.sleep(1)
    assert visit.call.status == "completed"


async def test_a_page_that_closes_during_the_call_hangs_up(visit: Visit):
    await visit.until(lambda: visit.call.status == "ringing")
    await visit.do("answer")
    await visit.until(lambda: visit.call.gathering)
    await visit.page.__aexit__(None, None, None)
    async with asyncio.timeout(5):
        while not visit.call.is_over:
            await visit.call.clock.sleep(0.1)
    assert ("say", "Nobody pressed.") not in [(x.kind, x.text) for x in visit.call.transcript]


async def test_a_page_loaded_again_rings_as_soon_as_the_first_is_gone(visit: Visit):
    await visit.until(lambda: visit.call.status == "ringing")
    async with serve_in_memory(visit.server, timeout_secs=60) as again:
        await again.flush()
        await visit.page.__aexit__(None, None, None)
        await until(visit.call.callee.on_handset.is_set)
        await again.set_inputs(**{"phone-decline": {}})
        await until(lambda: visit.call.is_over)
    assert visit.call.status == "busy"


async def test_what_a_character_replies_is_on_the_phone_too():
    app = create_app(speed=0)
    simulator, exchange = LazyApp(lambda: app), app.state.exchange
    request = replace(TEXT, to="+14125550115")
    message = text(exchange, "Reply 1", to=request.to)
    sent = alert_after_events(request, *steps(Status.PLACED, sid=message.sid))
    thread = TextThread(simulator)
    thread.add(sent)
    await exchange.clock.step(10)
    thread.add(sent)
    assert [(each["body"], each["theirs"]) for each in thread.shown()] == [
        ("Reply 1", True),
        ("1", False),
    ]
    # Nor is it there twice, or on the phone of a person who texted another.
    thread.add(sent)
    assert len(thread.shown()) == 2
    assert TextThread(simulator).shown() == []
