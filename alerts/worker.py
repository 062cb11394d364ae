"""The engine that runs deliveries in this process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import time

from dbos import DBOS, SetWorkflowID

from alerts import claims as handover
from alerts import delivery
from alerts.dbos_process import destroy_dbos, launch_dbos
from alerts.services import Mode
from alerts.steps.courier import Courier
from alerts.takeover import Takeover
from database.liveness import Liveness

log = logging.getLogger(__name__)

SECONDS_BETWEEN_ROUNDS = 0.2
SECONDS_BETWEEN_TAKEOVERS = 3.0
# Alerts under way in this process: each costs memory, and those that wait are safe in the database.
MOST_UNDER_WAY = 5000


class Engine:
    """Delivers alerts with `courier`. A process has one at most."""

    def __init__(self, courier: Courier, liveness: Liveness, mode: Mode) -> None:
        self._courier = courier
        self._presence = liveness
        self._executor_id = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._takeover = Takeover(courier.history, liveness, self._executor_id, mode)
        self._rounds: asyncio.Task[None] | None = None
        self._wanted = asyncio.Event()

    async def launch(self) -> None:
        """Begin to deliver: first of all what dead processes left behind."""
        delivery.employ(self._courier)
        try:
            await self._takeover.sign_on()
            history = self._courier.history
            await launch_dbos(history.database, history.account_sid, self._executor_id)
        except BaseException:
            await self.close()
            raise
        self._rounds = asyncio.create_task(self._make_rounds(), name="rounds of the engine")

    async def close(self) -> None:
        """Stop in the middle of whatever is under way; it goes on in another process, or later."""
        if self._rounds:
            self._rounds.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._rounds
        try:
            await delivery.stop()
            await destroy_dbos()
        finally:
            await self._presence.release()

    async def start(self, alert_id: str) -> None:
        """Deliver one alert, which has been written down with a workflow of its own."""
        try:
            account_sid = self._courier.history.account_sid
            with SetWorkflowID(handover.own_workflow(account_sid, alert_id)):
                await DBOS.start_workflow_async(delivery.deliver, alert_id)
        except Exception:
            # It is written down, and so isn't lost.
            self._takeover.search_soon()
            log.exception("Alert %s could not be started yet", alert_id)

    def look(self) -> None:
        """There are alerts to take up: look for them now."""
        self._wanted.set()

    async def _make_rounds(self) -> None:
        next_takeover = 0.0
        while True:
            try:
                if time.monotonic() >= next_takeover:
                    # Before it, so that one that breaks isn't repeated at once either.
                    next_takeover = time.monotonic() + SECONDS_BETWEEN_TAKEOVERS
                    await self._takeover.take_over()
                await self._take_up()
            except Exception:
                log.exception("A round of the engine broke; the next one comes in a moment")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SECONDS_BETWEEN_ROUNDS):
                    await self._wanted.wait()
            self._wanted.clear()

    async def _take_up(self) -> None:
        """Deliver what was written down without a workflow, by a page or by many at once."""
        history = self._courier.history
        while delivery.under_way() < MOST_UNDER_WAY:
            workflow_id, claimed = await history.write(
                lambda connection: handover.claim_due(connection, history.account_sid, time.time())
            )
            if not claimed:
                return
            try:
                with SetWorkflowID(workflow_id):
                    await DBOS.start_workflow_async(delivery.deliver_together, claimed)
            except Exception:
                # Claimed by a workflow that doesn't exist: they will be found.
                self._takeover.search_soon()
                raise
