"""Taking over the deliveries of processes that died, and whatever else nobody delivers."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection

from dbos import DBOS, WorkflowStatus

from alerts import claims as handover
from alerts.history import History, in_parts
from alerts.services import Mode
from database.liveness import Liveness

log = logging.getLogger(__name__)

# For alerts that nobody delivers it is searched so often in a row after a process began or died,
# or something went wrong; and now and then in any case.
SEARCHES = 3
SECONDS_BETWEEN_SEARCHES = 60.0


class Takeover:
    """One process's part in seeing to it that every open alert is somebody's."""

    def __init__(self, history: History, liveness: Liveness, executor_id: str, mode: Mode) -> None:
        self._history = history
        self._presence = liveness
        self._executor_id = executor_id
        self._mode = mode
        self._missing: set[str] = set()
        self._searches_left = SEARCHES
        self._next_search = 0.0

    async def sign_on(self) -> None:
        """Let the others know of this process, so that they look after what it leaves."""
        # First the lock: who is known without one counts as dead.
        await self._presence.hold(self._executor_id)
        await self._be_known()

    async def _be_known(self) -> None:
        history = self._history
        await history.write(
            lambda connection: handover.sign_on(
                connection, history.account_sid, self._executor_id, self._mode, time.time()
            )
        )

    def search_soon(self) -> None:
        """Something went wrong: there may be alerts that nobody delivers."""
        self._searches_left = SEARCHES

    async def take_over(self) -> None:
        """Go on with what dead processes left."""
        history = self._history
        # Again, should others have taken this process for dead while it stood still.
        await self._be_known()
        known = await history.read(
            lambda connection: handover.signed_on(connection, history.account_sid)
        )
        dead = await self._presence.dead([each for each in known if each != self._executor_id])
        if dead:
            await self._resume(dead)
            await history.write(lambda connection: handover.sign_off(connection, dead))
            self.search_soon()
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
        history = self._history
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
                lambda connection: handover.release_batches(
                    connection, history.account_sid, orphaned
                )
            )


def _is_cared_for(workflow: WorkflowStatus, living: Collection[str]) -> bool:
    """Whether a workflow that isn't over has somebody to go on with it."""
    if workflow.status == "ENQUEUED" and workflow.app_version == DBOS.application_version:
        return True  # somebody just resumed it
    return workflow.executor_id in living
