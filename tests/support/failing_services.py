"""Storages and connections with unexpected failures: they hang, or raise RuntimeError."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

import httpx
from starlette.applications import Starlette

import twilio_client.transport
from simulator import SIMULATOR_ACCOUNT_SID, SIMULATOR_AUTH_TOKEN
from simulator.app import create_app
from storage import InlineStorage, Instructions
from tests.support.desks import twilio_client as client_at
from tests.support.servers import serve
from twilio_client import TwilioClient

# Whether to fail at a POST, by its number (from 1) and its form.
Which = Callable[[int, dict[str, str]], bool]


class HangingStorage(InlineStorage):
    """A storage that never answers."""

    is_asked = False

    async def publish(self, name: str, xml: str) -> Instructions:
        self.is_asked = True
        await asyncio.Event().wait()
        raise AssertionError


class FailingConnections(twilio_client.transport.Transport):
    """Connections to Twilio that fail at `which` POSTs.

    They raise RuntimeError, or never answer if it `hangs`. If it `asks`, Twilio gets the request
    first.
    """

    def __init__(self, which: Which, hangs: bool = False, asks: bool = False) -> None:
        super().__init__()
        self._which, self._hangs, self._asks = which, hangs, asks
        self._count = 0
        self.failed = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method != "POST":
            return await super().handle_async_request(request)
        self._count += 1
        form = dict(parse_qsl((await request.aread()).decode()))
        if not self._which(self._count, form):
            return await super().handle_async_request(request)
        if self._asks:
            await (await super().handle_async_request(request)).aread()
        self.failed += 1
        if self._hangs:
            await asyncio.Event().wait()
        raise RuntimeError("a defect")


@asynccontextmanager
async def simulated_twilio() -> AsyncIterator[tuple[Starlette, str]]:
    """A fast simulator that serves HTTP, and its address."""
    app = create_app(
        account_sid=SIMULATOR_ACCOUNT_SID,
        auth_token=SIMULATOR_AUTH_TOKEN,
        calls_per_second=1000,
        speed=50,
    )
    with serve(app) as url:
        yield app, url


def failing_twilio(url: str, connections: FailingConnections) -> TwilioClient:
    return client_at(url, transport=connections)


def asked_for(simulator: Starlette) -> list[dict[str, Any]]:
    """The form of each request for a call or text that reached a simulator."""
    return [
        dict(entry.parameters)
        for entry in simulator.state.request_log.entries
        if entry.method == "POST" and entry.direction == "in"
    ]
