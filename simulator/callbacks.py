"""PLACEHOLDER"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from simulator.clock import Clock
from simulator.errors import TwimlError
from simulator.http_client import Parameters, WebRequests
from simulator.masking import without_password
from simulator.models.webhooks import Callback

MOST_DELIVERIES = 10_000


BAD_RESPONSE = 15003


@dataclass(frozen=True)
class Manners:
    """How callbacks come: each of the three has a rate from 0 (never) to 1 (always).

    A `late` one holds up those after it for `delay` simulated seconds, one `out_of_order` is
    overtaken by them, and what is sent `twice` follows itself. `seed` makes it repeatable.
    """

    late: float = 0
    twice: float = 0
    out_of_order: float = 0
    delay: float = 5
    seed: int = 0

    def __post_init__(self) -> None:
        if not all(0 <= rate <= 1 for rate in (self.late, self.twice, self.out_of_order)):
            raise ValueError("late, twice and out_of_order must be numbers from 0 to 1.")
        if not 0 <= self.delay <= 3600:
            raise ValueError("delay must be a number of seconds from 0 to 3600.")


@dataclass(frozen=True)
class Delivery:
    """One callback that was sent about the call or text `sid`: `status` is the HTTP status that
    came back, None if no answer did; `error_code` is Twilio's, None if all went well."""

    sid: str
    url: str
    method: str
    parameters: tuple[tuple[str, str], ...]
    status: int | None
    error_code: int | None


class Subject(Protocol):
    """What a callback is about: a call or a text."""

    sid: str
    account_sid: str

    def warn(self, code: int | None, message: str) -> None:
        """Note that a callback failed."""


@dataclass
class Callbacks:
    """Sends callbacks in the background: about one call or text in order, unless told otherwise."""

    web: WebRequests
    clock: Clock
    deliveries: deque[Delivery] = field(default_factory=lambda: deque(maxlen=MOST_DELIVERIES))
    _latest: dict[str, asyncio.Task[None]] = field(default_factory=dict, repr=False)
    _running: set[asyncio.Task[None]] = field(default_factory=set, repr=False)

    def __post_init__(self) -> None:
        self.behave(Manners())

    @property
    def manners(self) -> Manners:
        """How callbacks come at present."""
        return self._manners

    def behave(self, manners: Manners) -> None:
        """Send later callbacks with other manners; chance starts anew from their seed."""
        self._manners = manners
        self._chance = random.Random(manners.seed)  # noqa: S311 - a test's chance, not a secret

    def send(self, subject: Subject, callback: Callback, parameters: Parameters) -> None:
        """Tell `callback` about `subject`; returns at once."""
        manners, chance = self._manners, self._chance.random
        late, twice, overtaken = (
            chance() < rate for rate in (manners.late, manners.twice, manners.out_of_order)
        )
        previous = None if overtaken else self._latest.get(subject.sid)
        task = asyncio.create_task(
            self._deliver(
                subject,
                callback,
                tuple(parameters),
                previous=previous,
                delay=manners.delay if late or overtaken else 0,
                times=2 if twice else 1,
            )
        )
        self._running.add(task)
        if not overtaken:
            self._latest[subject.sid] = task
        task.add_done_callback(lambda done: self._forget(subject.sid, done))

    async def _deliver(
        self,
        subject: Subject,
        callback: Callback,
        parameters: tuple[tuple[str, str], ...],
        *,
        previous: asyncio.Task[None] | None,
        delay: float,
        times: int,
    ) -> None:
        if delay:
            await self.clock.sleep(delay)
        if previous is not None:
            await asyncio.wait({previous})
        for _ in range(times):
            await self._deliver_once(subject, callback, parameters)

    async def _deliver_once(
        self, subject: Subject, callback: Callback, parameters: tuple[tuple[str, str], ...]
    ) -> None:
        status, code = None, None
        try:
            async with self.web.ask(
                subject.account_sid, callback.url, callback.method, parameters
            ) as response:
                status = response.status_code
                code = BAD_RESPONSE if response.is_error else None
        except TwimlError as error:
            code = error.code
            subject.warn(code, f"Callback to {callback.url}: {error.message}")
        else:
            if code is not None:
                subject.warn(code, f"Callback to {callback.url}: answered with status {status}.")
        url = without_password(callback.url)
        self.deliveries.append(
            Delivery(subject.sid, url, callback.method, parameters, status, code)
        )

    def _forget(self, sid: str, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if self._latest.get(sid) is task:
            del self._latest[sid]
