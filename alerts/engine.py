"""The engine that runs deliveries in this process, and takes over those of processes that died.

https://docs.dbos.dev/python/reference/configuration
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor

from dbos import DBOS, DBOSConfig, SetWorkflowID, WorkflowStatus

from alerts import delivery
from alerts.database.database import Database
from alerts.database.presence import Presence
from alerts.history import in_parts
from alerts.keeping import handover
from alerts.roles import Role
from alerts.steps.courier import Courier

log = logging.getLogger(__name__)

SECONDS_BETWEEN_ROUNDS = 0.2
SECONDS_BETWEEN_TAKEOVERS = 3.0
# For alerts that nobody delivers it is searched so often in a row after a process began or died,
# or something went wrong; and now and then in any case.
SEARCHES = 3
SECONDS_BETWEEN_SEARCHES = 60.0
# Alerts under way in this process: each costs memory, and those that wait are safe in the database.
MOST_UNDER_WAY = 5000
# DBOS's threads serve the whole event loop, S3 and pages too.
MOST_THREADS = 32


class Engine:
    """Delivers alerts with `courier`. A process has one at most."""

    def __init__(self, courier: Courier, presence: Presence, role: Role) -> None:
        self._courier = courier
        self._presence = presence
        self._role = role
        self._executor_id = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._rounds: asyncio.Task[None] | None = None
        self._wanted = asyncio.Event()
        self._missing: set[str] = set()
        self._searches_left = SEARCHES
        self._next_search = 0.0

    async def launch(self) -> None:
        """Begin to deliver: first of all what dead processes left behind."""
        delivery.employ(self._courier)
        try:
            await self._sign_on()
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
            self._searches_left = SEARCHES
            log.exception("Alert %s could not be started yet", alert_id)

    def look(self) -> None:
        """There are alerts to take up: look for them now."""
        self._wanted.set()

    async def _sign_on(self) -> None:
        # First the lock: who is known without one counts as dead.
        await self._presence.hold(self._executor_id)
        await self._be_known()

    async def _be_known(self) -> None:
        history = self._courier.history
        await history.write(
            lambda connection: handover.sign_on(
                connection, history.account_sid, self._executor_id, self._role, time.time()
            )
        )

    async def _make_rounds(self) -> None:
        next_takeover = 0.0
        while True:
            try:
                if time.monotonic() >= next_takeover:
                    # Before it, so that one that breaks isn't repeated at once either.
                    next_takeover = time.monotonic() + SECONDS_BETWEEN_TAKEOVERS
                    await self._take_over()
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
                lambda connection: handover.take_up(connection, history.account_sid, time.time())
            )
            if not claimed:
                return
            try:
                with SetWorkflowID(workflow_id):
                    await DBOS.start_workflow_async(delivery.deliver_together, claimed)
            except Exception:
                # Claimed by a workflow that doesn't exist: they will be found.
                self._searches_left = SEARCHES
                raise

    async def _take_over(self) -> None:
        """Go on with what dead processes left."""
        history = self._courier.history
        # Again, should others have taken this process for dead while it stood still.
        await self._be_known()
        known = await history.read(
            lambda connection: handover.signed_on(connection, history.account_sid)
        )
        dead = await self._presence.dead([each for each in known if each != self._executor_id])
        if dead:
            await self._resume(dead)
            await history.write(lambda connection: handover.sign_off(connection, dead))
            self._searches_left = SEARCHES
        if self._searches_left or time.monotonic() >= self._next_search:
            self._searches_left = max(0, self._searches_left - 1)
            self._next_search = time.monotonic() + SECONDS_BETWEEN_SEARCHES
            await self._adopt_orphans(living=set(known) - set(dead))

    async def _resume(self, dead: Collection[str]) -> None:
        """Their workflows go on at the step that was under way."""
        left = await DBOS.list_workflows_async(
            status="PENDING",
            executor_id=list(dead),
            app_version=DBOS.application_version,
            load_input=False,
            load_output=False,
        )
        if left:
            log.info("Going on with %d deliveries of processes that ended", len(left))
            for some in in_parts([each.workflow_id for each in left]):
                await DBOS.resume_workflows_async(list(some))

    async def _adopt_orphans(self, living: Collection[str]) -> None:
        """Have alerts taken up that no workflow delivers, or one of a process that is gone.

        Because it died before it could start the workflow, or after others had signed it off; or
        because the workflow broke, or is another version's.
        """
        history = self._courier.history
        begun = await history.read(
            lambda connection: handover.workflows_under_way(connection, history.account_sid)
        )
        missing = set(begun)
        for some in in_parts(begun):
            pending = await DBOS.list_workflows_async(
                workflow_ids=list(some),
                status=["PENDING", "ENQUEUED"],
                load_input=False,
                load_output=False,
            )
            missing -= {each.workflow_id for each in pending if _is_cared_for(each, living)}
        # A workflow that was missing twice isn't just about to be started.
        orphaned, self._missing = missing & self._missing, missing
        if missing - orphaned:
            self._searches_left = max(1, self._searches_left)
        if orphaned:
            await history.write(
                lambda connection: handover.hand_back(connection, history.account_sid, orphaned)
            )


def _is_cared_for(workflow: WorkflowStatus, living: Collection[str]) -> bool:
    """Whether a workflow that isn't over has somebody to go on with it."""
    if workflow.status == "ENQUEUED" and workflow.app_version == DBOS.application_version:
        return True  # somebody just resumed it
    return workflow.executor_id in living


async def launch_dbos(database: Database, account_sid: str, executor_id: str) -> None:
    """Start DBOS in this process and event loop, on the database that the history is in."""
    # Setting up its tables takes a while, and its launch happens in the event loop.
    await asyncio.to_thread(DBOS.migrate, database.url)
    config: DBOSConfig = {
        "name": "callboard",
        "system_database_url": database.url,
        "executor_id": executor_id,
        # Of another account's alerts none is ever sent from here: a simulation's to real people.
        "application_version": f"{delivery.VERSION}-{account_sid}",
        "log_level": "ERROR",
        "enable_otlp": False,
        "run_migrations": False,
        "max_executor_threads": MOST_THREADS,
        # Nothing waits for its messages; its thread would only keep us waiting when we close.
        "notification_listener_polling_interval_sec": 0.1,
    }
    DBOS(config=config)
    DBOS.launch()


async def destroy_dbos() -> None:
    """Stop DBOS; another may be launched afterwards."""
    loop, threads = asyncio.get_running_loop(), ThreadPoolExecutor()
    # DBOS had put its own threads, which are about to go, in the place of the event loop's.
    loop.set_default_executor(threads)
    await loop.run_in_executor(threads, DBOS.destroy)
