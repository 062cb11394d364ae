"""Desks for tests: on a fast simulator in this process, or on any Twilio over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from alerts import Alert, AlertRequest, Desk
from alerts.means import Means
from alerts.numbers import Regions
from simulator import (
    SIMULATOR_ACCOUNT_SID,
    SIMULATOR_AUTH_TOKEN,
    SIMULATOR_FROM_NUMBER,
    create_app,
)
from storage import InlineStorage, LocalStorage, Storage, twiml_route
from twilio_client import TwilioClient

ANYBODY = "+14125550199"
CALL = AlertRequest("call", ANYBODY, "Hello")
TEXT = AlertRequest("text", ANYBODY, "Hello")
SERVICE_SID = "MG" + "0123456789abcdef" * 2


@asynccontextmanager
async def simulated_desk(
    folder: Path, storage: Storage | None = None, speed: float = 50, **options: Any
) -> AsyncIterator[Desk]:
    """A desk whose documents are in `folder`, with a simulator `speed` times as fast as life.

    `options` replace parts of its means.
    """
    local = LocalStorage(folder, "http://callboard.localhost")
    documents = httpx.ASGITransport(app=Starlette(routes=[twiml_route(local)]))
    simulator = create_app(
        account_sid=SIMULATOR_ACCOUNT_SID,
        auth_token=SIMULATOR_AUTH_TOKEN,
        speed=speed,
        fetch_transport=documents,
    )
    transport = httpx.ASGITransport(app=simulator)
    means = Means(
        twilio=twilio_client("http://simulator.localhost", transport=transport),
        storage=storage or local,
        from_number=SIMULATOR_FROM_NUMBER,
        regions=Regions(),
        simulator=simulator,
        documents=documents,
    )
    async with Desk(replace(means, **options)) as desk:
        yield desk


@asynccontextmanager
async def desk_at(base_url: str, storage: Storage | None = None) -> AsyncIterator[Desk]:
    """A desk on the Twilio at `base_url`, its documents inside the requests if nowhere else."""
    means = Means(
        twilio_client(base_url), storage or InlineStorage(), SIMULATOR_FROM_NUMBER, Regions()
    )
    async with Desk(means) as desk:
        yield desk


def twilio_client(base_url: str, **options: Any) -> TwilioClient:
    return TwilioClient(SIMULATOR_ACCOUNT_SID, SIMULATOR_AUTH_TOKEN, base_url=base_url, **options)


async def followed(desk: Desk, request: AlertRequest) -> Alert:
    """Send it and wait for its end."""
    async with asyncio.timeout(20):
        return await until_over(desk, (await desk.send(request)).id)


async def until_over(desk: Desk, alert_id: str) -> Alert:
    async with asyncio.timeout(20), aclosing(desk.watch(alert_id)) as changes:
        return [alert async for alert in changes][-1]


def posts(desk: Desk) -> list[dict[str, str]]:
    """The form of each POST that reached the desk's simulator."""
    assert desk.means.simulator is not None
    entries = desk.means.simulator.state.request_log.entries
    return [dict(entry.parameters) for entry in entries if entry.method == "POST"]


async def simulated(desk: Desk, path: str) -> Any:
    """What the desk's simulator tells through its own controls."""
    assert desk.means.simulator is not None
    transport = httpx.ASGITransport(app=desk.means.simulator)
    credentials = (SIMULATOR_ACCOUNT_SID, SIMULATOR_AUTH_TOKEN)
    async with httpx.AsyncClient(transport=transport, auth=credentials) as client:
        answer = await client.get(f"http://simulator.localhost/simulator/{path}")
        return answer.raise_for_status().json()


def deliveries() -> list[str]:
    """The names of deliveries that are still under way in this event loop."""
    names = [task.get_name() for task in asyncio.all_tasks()]
    return [name for name in names if name.startswith("alert ")]


async def until(is_so: Callable[[], object]) -> None:
    """Wait for a condition that nothing announces."""
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
