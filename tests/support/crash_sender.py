"""A process that sends alerts and dies in the middle.

It knows nothing but its list, so each process sends all of the list again.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any, TypeVar

import httpx
import sqlalchemy as sa
from pydantic import SecretStr

# Senders are forks of one process, so everything they need is imported here, once.
import twilio_client.transport
from alerts import AlertRequest, Desk, claims, worker
from alerts.phone_numbers import Regions
from alerts.services import RetryPolicy, Services
from alerts.steps import placing, reconciling
from alerts.tables import alerts
from database import database
from database.opening import OpenDatabase
from simulator import SIMULATOR_ACCOUNT_SID, SIMULATOR_FROM_NUMBER
from storage import InlineStorage
from tests.support.crash_plan import Death
from tests.support.direct_sql import execute
from twilio_client import TwilioClient, connections

# A request may take a third of `request_seconds`. On a busy machine less would end many of them,
# each would then be looked up, and looking up keeps the machine busier still.
RETRY_POLICY = RetryPolicy(
    first_wait_seconds=0.05, longest_wait_seconds=0.5, request_seconds=6, listing_seconds=1
)
AUTH_TOKEN = "crash"

Result = TypeVar("Result")


@dataclass(frozen=True)
class SenderTask:
    """What a process does: send `requests` and wait until they are over, unless it dies before.

    With `never_looks` it has a defect on purpose: it repeats a request without looking up whether
    Twilio has it. With `stays` it doesn't end when everything is over. With `broadcast`, the id of
    one, it sends all of them as that broadcast.
    """

    database_url: str
    simulator: str
    account_sid: str = SIMULATOR_ACCOUNT_SID
    requests: Sequence[AlertRequest] = ()
    alone: int = 0
    broadcast: str = ""
    mode: Any = "app"
    death: Death | None = None
    never_looks: bool = False
    stays: bool = False
    retry_policy: RetryPolicy = RETRY_POLICY
    # Short, because only one of them is alive at a time.
    dead_after_seconds: float = 1.0


def run(task: SenderTask) -> None:
    """Do the task; this is all that the process does."""
    worker.SECONDS_BETWEEN_RECOVERIES = 1.0
    worker.HEARTBEAT_SECONDS = 0.2
    claims.DEAD_AFTER_SECONDS = task.dead_after_seconds
    placing.RENEW_SUBMISSIONS_OLDER_THAN = timedelta(seconds=0.8)
    asyncio.run(_run(task))


async def _run(task: SenderTask) -> None:
    if task.never_looks:
        _never_look()
    desk = Desk(services_of(task), task.mode)
    with suppress(TimeoutError):
        async with asyncio.timeout(_seconds_until_closed(task.death)):
            await _send_all(desk, task)
            await _until_over(desk)
            if task.stays:
                await asyncio.Event().wait()
    await desk.close()


def services_of(task: SenderTask) -> Services:
    """The services that the process delivers with."""
    transport = None
    if task.death and task.death.moment.endswith("commit"):
        _die_at_commit(task.death)
    if task.death and task.death.moment.endswith("request"):
        transport = DyingTransport(task.death)
    # All of a request takes less than `request_seconds`, as for the usual policy.
    connections.WAIT_SECONDS = task.retry_policy.request_seconds / 3
    twilio = TwilioClient(
        task.account_sid,
        AUTH_TOKEN,
        base_url=task.simulator,
        transport=transport,
        timeout=task.retry_policy.request_seconds / 3,
    )
    return Services(
        twilio=twilio,
        storage=InlineStorage(),
        from_number=SIMULATOR_FROM_NUMBER,
        regions=Regions(),
        database_url=SecretStr(task.database_url),
        calls_per_second=1000,
        texts_per_second=1000,
        alerts_per_number_per_hour=100_000,
        alerts_per_person_per_hour=None,
        retry_policy=task.retry_policy,
    )


async def _send_all(desk: Desk, task: SenderTask) -> None:
    if task.broadcast:
        await desk.broadcast(task.requests, id=task.broadcast)
        return
    alone, together = task.requests[: task.alone], task.requests[task.alone :]
    await asyncio.gather(desk.send_all(together), *(desk.send(each) for each in alone))


async def _until_over(desk: Desk) -> None:
    open_ones = sa.select(alerts.c.id).where(alerts.c.is_open).limit(1)
    is_over = False
    while not is_over:
        # The database may be away for a while.
        with suppress(sa.exc.OperationalError):
            is_over = not await execute(desk.services.database_url, open_ones)
        await asyncio.sleep(0.1)


def _seconds_until_closed(death: Death | None) -> float | None:
    return death.count if death and death.moment == "closed" else None


class DyingTransport(twilio_client.transport.Transport):
    """Connections to Twilio; the process dies at a request for a call or text."""

    def __init__(self, death: Death) -> None:
        super().__init__()
        self._death = death
        self._count = count(1)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method != "POST":
            return await super().handle_async_request(request)
        return await _dying(
            self._death,
            next(self._count),
            lambda: super(DyingTransport, self).handle_async_request(request),
        )


def _die_at_commit(death: Death) -> None:
    """Make the process die before or after a commit."""
    commit, number = database._commit, count(1)

    def dying(database: OpenDatabase, writes: Sequence[Any], **options: bool) -> list[Any]:
        this = next(number)
        if this == death.count and death.moment.startswith("before"):
            die(death)
        outcomes = commit(database, writes, **options)
        if this == death.count:
            die(death)
        return outcomes

    database._commit = dying


async def _dying(death: Death, number: int, act: Callable[[], Awaitable[Result]]) -> Result:
    if number == death.count and death.moment.startswith("before"):
        die(death)
    try:
        return await act()
    finally:
        if number == death.count:
            die(death)


def die(death: Death) -> None:
    """End this process at once, without any cleanup, or let it hang."""
    os.kill(os.getpid(), signal.SIGSTOP if death.hangs else signal.SIGKILL)


def _never_look() -> None:
    async def never(*_: object) -> None:
        return None

    reconciling._look_up = never  # type: ignore[assignment]
