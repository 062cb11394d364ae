"""Desks for tests: on a fast simulator in this process, or on any Twilio over HTTP."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from phonenumbers import parse
from phonenumbers.timezone import time_zones_for_number
from pydantic import SecretStr
from starlette.applications import Starlette

from alerts import Alert, AlertRequest, Desk
from alerts.callbacks import CallbackReceiver, callback_routes
from alerts.phone_numbers import Regions
from alerts.services import CallbackAddresses, Mode, RetryPolicy, Services, signature_check
from alerts.simulation import SIMULATED_APP_URL
from alerts.worker import Worker
from simulator import (
    SIMULATOR_ACCOUNT_SID,
    SIMULATOR_AUTH_TOKEN,
    SIMULATOR_FROM_NUMBER,
    LazyApp,
)
from simulator.app import create_app
from storage import InlineStorage, LocalStorage, Storage, twiml_route
from tests.support.databases import sqlite_in
from twilio_client import TwilioClient

# A number without a character of its own in the simulator's directory: it answers.
ANYBODY = "+14125550199"
CALL = AlertRequest("call", ANYBODY, "Hello")
TEXT = AlertRequest("text", ANYBODY, "Hello")
SERVICE_SID = "MG" + "0123456789abcdef" * 2


# Tests don't wait for the account's rate, an hourly limit, or long retries. One that succeeds after
# trouble mustn't give up before, however busy the machine is.
UNHURRIED: dict[str, Any] = {
    "calls_per_second": 1000,
    "texts_per_second": 1000,
    "alerts_per_number_per_hour": 1000,
    "alerts_per_person_per_hour": None,
    "retry_policy": RetryPolicy(
        first_wait_seconds=0.02,
        longest_wait_seconds=0.1,
        request_seconds=0.5,
        listing_seconds=0.3,
        lookup_seconds=1,
        retry_seconds=10,
    ),
}


@asynccontextmanager
async def simulated_desk(
    folder: Path,
    storage: Storage | None = None,
    speed: float = 50,
    callbacks: bool = False,
    account_sid: str = SIMULATOR_ACCOUNT_SID,
    *,
    mode: Mode = "app",
    **options: Any,
) -> AsyncIterator[Desk]:
    """A desk whose documents are in `folder`, with a simulator `speed` times as fast as real time.

    With `callbacks` the simulator reports to it. `options` replace parts of its services. In the
    mode "observer" it delivers nothing.
    """
    local = LocalStorage(folder, SIMULATED_APP_URL)
    web = Starlette(routes=[twiml_route(local)])
    documents = httpx.ASGITransport(app=web)
    app = create_app(
        account_sid=account_sid,
        auth_token=SIMULATOR_AUTH_TOKEN,
        speed=speed,
        fetch_transport=documents,
    )
    transport = httpx.ASGITransport(app=app)
    services = Services(
        twilio=twilio_client("http://simulator.localhost", account_sid, transport=transport),
        storage=storage or local,
        from_number=SIMULATOR_FROM_NUMBER,
        regions=Regions(),
        database_url=database_in(folder),
        simulator=LazyApp(lambda: app),
        documents=documents,
        callbacks=CallbackAddresses(SIMULATED_APP_URL) if callbacks else None,
        is_from_twilio=signature_check(SecretStr(SIMULATOR_AUTH_TOKEN)),
        **UNHURRIED,
    )
    async with Desk(replace(services, **options), mode) as desk:
        web.router.routes += callback_routes(CallbackReceiver.of(desk.services), desk.history)
        yield desk


@asynccontextmanager
async def desk_at(
    base_url: str, storage: Storage | None = None, *, mode: Mode = "app", **options: Any
) -> AsyncIterator[Desk]:
    """A desk on the Twilio at `base_url`; without a `storage`, documents go inside the requests."""
    with tempfile.TemporaryDirectory() as folder:
        services = Services(
            twilio=twilio_client(base_url),
            storage=storage or InlineStorage(),
            from_number=SIMULATOR_FROM_NUMBER,
            regions=Regions(),
            database_url=database_in(Path(folder)),
            **UNHURRIED,
        )
        async with Desk(replace(services, **options), mode) as desk:
            yield desk


def database_in(folder: Path) -> SecretStr:
    """The URL of a SQLite database in a folder."""
    return SecretStr(sqlite_in(folder))


def twilio_client(
    base_url: str, account_sid: str = SIMULATOR_ACCOUNT_SID, **options: Any
) -> TwilioClient:
    return TwilioClient(account_sid, SIMULATOR_AUTH_TOKEN, base_url=base_url, **options)


async def followed(desk: Desk, request: AlertRequest) -> Alert:
    """Send an alert and wait for its end."""
    async with asyncio.timeout(20):
        return await until_over(desk, (await desk.send(request)).id)


async def until_over(desk: Desk, alert_id: str) -> Alert:
    async with asyncio.timeout(20), aclosing(desk.watch(alert_id)) as changes:
        return [alert async for alert in changes][-1]


def quiet_now(number: str) -> str:
    """Quiet hours from two hours ago to two hours from now, where the number is."""
    now = datetime.now(ZoneInfo(time_zones_for_number(parse(number))[0]))
    return f"{now - timedelta(hours=2):%H:%M}-{now + timedelta(hours=2):%H:%M}"


def posts(desk: Desk) -> list[dict[str, str]]:
    """The form of each POST that reached the desk's simulator."""
    assert desk.services.simulator is not None
    entries = desk.services.simulator.app.state.request_log.entries
    return [
        dict(entry.parameters)
        for entry in entries
        if entry.method == "POST" and entry.direction == "in"
    ]


async def simulated(desk: Desk, path: str) -> Any:
    """What the desk's simulator answers at one of its control paths."""
    assert desk.services.simulator is not None
    transport = httpx.ASGITransport(app=desk.services.simulator)
    credentials = (SIMULATOR_ACCOUNT_SID, SIMULATOR_AUTH_TOKEN)
    async with httpx.AsyncClient(transport=transport, auth=credentials) as client:
        answer = await client.get(f"http://simulator.localhost/simulator/{path}")
        return answer.raise_for_status().json()


def worker_of(desk: Desk) -> Worker:
    """The worker of a desk that is open and delivers by itself."""
    worker = desk.warm_up().result().worker
    assert worker is not None
    return worker
