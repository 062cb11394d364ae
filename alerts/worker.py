"""The worker of this process: it claims alerts that are due, and those of dead workers.

A worker whose heartbeat stops counts as dead. Other workers then release its claims, and its alerts
go on in the process that claims them next, at the step that was interrupted.
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

import sqlalchemy as sa

from alerts.alert import Alert
from alerts.claims import Claims, Liveness
from alerts.cost import Prices
from alerts.delivery import deliver
from alerts.history import History
from alerts.replies import ReplyPoller
from alerts.services import Mode, Services
from alerts.steps.placing import RequestLimits
from alerts.steps.polling import StatusPoller
from database import DatabaseError, NewerDatabase
from storage import S3Storage

log = logging.getLogger(__name__)

# How often to look for alerts that other processes have saved, or that have become due. Those that
# this process sends don't wait for it.
SECONDS_BETWEEN_CLAIMS = 1.0
SECONDS_BETWEEN_RECOVERIES = 2.0
# Several fit into the time after which a worker counts as dead, in case one is late.
HEARTBEAT_SECONDS = 2.0
SECONDS_BEFORE_FIRST_DELETION = 60.0
SECONDS_BETWEEN_DELETIONS = 3600.0
SECONDS_BETWEEN_DELETED_PIECES = 0.2
SIGN_OFF_TIMEOUT_SECONDS = 2.0
# Each alert under way takes memory; more of them can wait in the database.
MOST_ALERTS_UNDER_WAY = 5000


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
        self._prices = Prices(services, history)
        self._reply_poller = ReplyPoller(services, history)
        self._deliveries: dict[str, asyncio.Task[None]] = {}
        self._running: list[asyncio.Task[None]] = []

    @property
    def under_way(self) -> int:
        """How many alerts this worker is delivering."""
        return len(self._deliveries)

    async def start(self) -> None:
        """Start delivering, beginning with what dead workers left behind."""
        # The heartbeat comes before any claim, because claims of a worker that isn't alive are
        # released.
        await self._liveness.beat(self.id, self._mode)
        self._running = [
            asyncio.create_task(self._keep_alive(), name="heartbeat"),
            asyncio.create_task(self._run(), name="worker"),
            asyncio.create_task(self._delete_old(), name="deleting old alerts"),
            asyncio.create_task(self._reply_poller.run(), name="looking for replies"),
            asyncio.create_task(self._prices.run(), name="reading prices"),
            asyncio.create_task(self._warm_up(), name="warming up"),
        ]

    def has_room_for(self, alerts: int) -> bool:
        """Whether this worker can take this many more alerts."""
        return self.under_way + alerts <= MOST_ALERTS_UNDER_WAY

    def deliver(self, alerts: Iterable[Alert]) -> None:
        """Start delivering alerts that this worker has claimed."""
        for alert in alerts:
            if alert.id not in self._deliveries:
                delivery = deliver(
                    alert,
                    services=self._services,
                    history=self._history,
                    claims=self._claims,
                    limits=self._limits,
                    poller=self._poller,
                )
                task = asyncio.create_task(delivery, name=f"alert {alert.id}")
                self._deliveries[alert.id] = task
                task.add_done_callback(partial(self._forget, alert.id))

    async def close(self) -> None:
        """Interrupt all deliveries; they go on in another process, or later."""
        tasks = [*self._deliveries.values(), *self._running]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._poller.close()
        # This saves other workers the time to notice that this one is gone. If it fails, because
        # the database can't be used or is a newer version's, they notice by themselves.
        with contextlib.suppress(TimeoutError, DatabaseError, sa.exc.SQLAlchemyError):
            async with asyncio.timeout(SIGN_OFF_TIMEOUT_SECONDS):
                await self._claims.release({self.id})

    async def _keep_alive(self) -> None:
        """Save a heartbeat every HEARTBEAT_SECONDS for as long as this worker lives.

        This runs in the event loop that delivers, so if the loop hangs, other workers take over.
        """
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            try:
                await self._liveness.beat(self.id, self._mode)
            except NewerDatabase:
                return  # the runtime closes this worker
            except Exception:
                log.exception("The worker's heartbeat couldn't be saved; trying again in a moment")

    async def _warm_up(self) -> None:
        """Load what the first call would wait for."""
        try:
            if isinstance(self._services.storage, S3Storage):
                await self._services.storage.warm_up()
        except Exception:
            log.exception("boto3 couldn't be loaded")

    async def _delete_old(self) -> None:
        """Delete alerts older than KEEP_DAYS, in small pieces, once an hour."""
        pause = SECONDS_BEFORE_FIRST_DELETION
        while True:
            await asyncio.sleep(pause)
            pause = SECONDS_BETWEEN_DELETIONS
            try:
                while await self._history.delete_old(self._services.keep_days):  # noqa: ASYNC110
                    await asyncio.sleep(SECONDS_BETWEEN_DELETED_PIECES)
            except NewerDatabase:
                return
            except Exception:
                log.exception("Old alerts couldn't be deleted; trying again in an hour")

    async def _run(self) -> None:
        next_recovery = 0.0
        while True:
            try:
                if time.monotonic() >= next_recovery:
                    # Set first, so that a recovery that fails isn't repeated at once either.
                    next_recovery = time.monotonic() + SECONDS_BETWEEN_RECOVERIES
                    if await self.recover():
                        await self._deliver_strays()
                        # The process that was asked to stop everything may have died.
                        await self._history.cancel_all()
                await self._claim()
            except NewerDatabase:
                return
            except Exception:
                log.exception("The worker couldn't claim alerts; trying again in a moment")
            await asyncio.sleep(SECONDS_BETWEEN_CLAIMS)

    async def recover(self) -> bool:
        """Release the claims of dead workers, and of workers that aren't known any more.

        Returns whether any alert is open.
        """
        any_open, dead = await self._claims.any_open_and_dead_workers(self._liveness)
        gone = dead - {self.id}
        if gone and (freed := await self._claims.release(gone)):
            log.info("Released %d alerts of workers that have ended", freed)
        return any_open

    async def _deliver_strays(self) -> None:
        """Deliver alerts that this worker has claimed without knowing it.

        That happens if the answer to a commit is lost: the work runs again, and claims nothing.
        """
        claimed = await self._claims.claimed_by(self.id)
        if strays := [each for each in claimed if each not in self._deliveries]:
            self.deliver((await self._history.get_all(strays)).values())

    async def _claim(self) -> None:
        """Claim alerts that are due, as many as there is room for, and deliver them."""
        while (room := MOST_ALERTS_UNDER_WAY - self.under_way) > 0 and await self._claims.are_due():
            claimed = await self._claims.claim(self.id, room)
            if not claimed:
                break  # another process is claiming them right now
            self.deliver(claimed)

    def _forget(self, alert_id: str, _: object) -> None:
        self._deliveries.pop(alert_id, None)
