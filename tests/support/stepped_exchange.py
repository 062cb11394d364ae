"""An exchange in this process whose clock stands still until a test steps it."""

from __future__ import annotations

import httpx

from simulator import SIMULATOR_ACCOUNT_SID, SIMULATOR_FROM_NUMBER
from simulator.app import create_app
from simulator.exchange import Exchange
from simulator.models.call import Call, CallRequest
from simulator.models.message import Message, MessageRequest
from simulator.models.webhooks import Instructions
from tests.support.simulator_line import TO


def frozen_exchange(fetch_transport: httpx.AsyncBaseTransport | None = None) -> Exchange:
    exchange: Exchange = create_app(speed=0, fetch_transport=fetch_transport).state.exchange
    return exchange


def place(
    exchange: Exchange,
    twiml: str = "<Response/>",
    to: str = TO,
    timeout: int = 60,
    url: str | None = None,
) -> Call:
    """A call that is queued and goes on as the clock is stepped."""
    request = CallRequest(
        to=to,
        from_=SIMULATOR_FROM_NUMBER,
        instructions=Instructions(url=url, twiml=twiml),
        fallback=None,
        timeout=timeout,
        time_limit=14_400,
        machine_detection=None,
    )
    return exchange.create_call(SIMULATOR_ACCOUNT_SID, request)


def text(exchange: Exchange, body: str = "Hello", to: str = TO) -> Message:
    """A text from our number that is queued."""
    request = MessageRequest(to, SIMULATOR_FROM_NUMBER, None, body)
    return exchange.create_message(SIMULATOR_ACCOUNT_SID, request)
