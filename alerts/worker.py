"""Which alerts this process delivers: it claims those that are due, and those of dead processes.

A claim is a worker's id in the alert's row. A worker holds a lock that dies with its process; the
claims of a worker without one are released, and its alerts go on in the next process that claims
them, at the step that was under way.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import time
from collections.abc import Iterable
from functools import partial

from alerts.alert import Alert
from alerts.claims import Claims
from alerts.delivery import deliver
from alerts.history import History
from alerts.services import Mode, Services
from alerts.steps.placing import RequestLimits
from alerts.steps.polling import StatusPoller
from database import DatabaseError
from database.liveness import Liveness

log = logging.getLogger(__name__)

# Alerts that other processes wrote down are looked for this often.
SECONDS_BETWEEN_CLAIMS = 0.4
SECONDS_BETWEEN_RECOVERIES = 2.0
SECONDS_AFTER_A_DEFECT = 60.0
SECONDS_TO_SIGN_OFF = 2.0
# Alerts under way in this process: each costs memory, and those that wait are safe in the database.
MOST_UNDER_WAY = 5000


class Worker:
    """Delivers alerts in this process until it is closed."""

    def __init__(
        self,
        services: Services,
        history: History,
        claims: Claims,
        liveness: Liveness,
        mode: Mode,
    ) -> None:
        self.id = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._services = services
        self._history = history
        self._claims = claims
        self._liveness = liveness
        self._mode = mode
        self._limits = RequestLimits(services)
        self._poller = StatusPoller(
            services.twilio, history.record, callbacks=services.callbacks is not None
        )
        self._deliveries: dict[str, asyncio.Task[None]] = {}
        self._running: asyncio.Task[None] | None = None

    @property
    def under_way(self) -> int:
        """How many alerts it is delivering."""
        return len(self._deliveries)

    async def start(self) -> None:
        """Begin to deliver: first of all what dead processes left behind."""
        # First the lock: a worker that is known without one counts as dead.
        await self._liveness.hold(self.id)
        await self._claims.add_worker(self.id, self._mode)
        self._running = asyncio.create_task(self._run(), name="worker")

    def has_room_for(self, alerts: int) -> bool:
        """Whether it may be handed this many alerts more."""
        return self.under_way + alerts <= MOST_UNDER_WAY

    def deliver(self, alerts: Iterable[Alert]) -> None:
        """Deliver alerts that are claimed by this worker, beginning at once."""
        for alert in alerts:
            if alert.id not in self._deliveries:
                task = asyncio.create_task(self._deliver(alert), name=f"alert {alert.id}")
                self._deliveries[alert.id] = task
                task.add_done_callback(partial(self._forget, alert.id))

    async def close(self) -> None:
        """Stop in the middle of whatever is under way; it goes on in another process, or later."""
        tasks = list(self._deliveries.values())
        tasks += [self._running] if self._running else []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._poller.close()
        if self._running:
            # Others need not find out that it is gone. Where the database is away, they will.
            with contextlib.suppress(TimeoutError, DatabaseError):
                async with asyncio.timeout(SECONDS_TO_SIGN_OFF):
                    await self._claims.release({self.id})
        await self._liveness.release()

    async def _run(self) -> None:
        next_recovery = 0.0
        while True:
            try:
                if time.monotonic() >= next_recovery:
                    # Set before it, so that one that fails isn't repeated at once either.
                    next_recovery = time.monotonic() + SECONDS_BETWEEN_RECOVERIES
                    await self.recover()
                    await self._deliver_strays()
                await self._claim()
            except Exception:
                log.exception("A round of the worker failed; the next one comes in a moment")
            await asyncio.sleep(SECONDS_BETWEEN_CLAIMS)

    async def recover(self) -> None:
        """Release what dead workers have claimed, and what workers that nobody knows have."""
        # In this order: a worker is known before it claims anything.
        claiming = await self._claims.claiming_workers()
        known = await self._claims.known_workers()
        if self.id not in known:
            # Others took this process for dead while it stood still.
            await self._claims.add_worker(self.id, self._mode)
        dead = await self._liveness.dead([each for each in known if each != self.id])
        gone = dead | (claiming - known.keys() - {self.id})
        if gone and (freed := await self._claims.release(gone)):
            log.info("Going on with %d alerts of processes that ended", freed)

    async def _deliver_strays(self) -> None:
        """Deliver what this worker has claimed without learning of it.

        As when the answer to a commit was lost: the same work, done again, claims nothing.
        """
        claimed = await self._claims.claimed_by(self.id)
        if strays := [each for each in claimed if each not in self._deliveries]:
            self.deliver((await self._history.get_all(strays)).values())

    async def _claim(self) -> None:
        """Claim what is due, for as long as this process has room, and deliver it."""
        while (room := MOST_UNDER_WAY - self.under_way) > 0 and await self._claims.are_due():
            claimed = await self._claims.claim(self.id, room)
            if not claimed:
                break  # another process is just claiming them, or stands still while it does
            self.deliver(claimed)

    def _forget(self, alert_id: str, _: object) -> None:
        self._deliveries.pop(alert_id, None)

    async def _deliver(self, alert: Alert) -> None:
        while True:
            try:
                await deliver(
                    alert,
                    services=self._services,
                    history=self._history,
                    claims=self._claims,
                    limits=self._limits,
                    poller=self._poller,
                )
            except Exception:
                log.exception("Alert %s is held up", alert.id)
            else:
                return
            await asyncio.sleep(SECONDS_AFTER_A_DEFECT)
