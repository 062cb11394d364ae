"""What an open Desk runs: the database, the history, and a worker unless one runs elsewhere."""

from __future__ import annotations

import asyncio
import logging

from alerts.approvals import Approvals
from alerts.broadcast_history import BroadcastHistory
from alerts.claims import Claims, Liveness
from alerts.history import History
from alerts.limits import Limits
from alerts.services import Mode, Services
from alerts.worker import Worker
from database import NewerDatabase
from database.database import Database
from database.tables import metadata

log = logging.getLogger(__name__)

STANDBY_INTERVAL_SECONDS = 2.0
# When a database comes back, no worker counts as alive until each has written its heartbeat.
LOOKS_BEFORE_DELIVERING = 2


class Runtime:
    """Delivers unless its mode is "observer", or it is an app and a worker process is alive.

    It stops once a newer version of Callboard has changed the database's tables.
    """

    def __init__(self, services: Services, mode: Mode) -> None:
        url = services.database_url.get_secret_value()
        self._services = services
        self._mode = mode
        self.database = Database(url, metadata)
        self._standing_by: asyncio.Task[None] | None = None
        self._giving_way: asyncio.Task[None] | None = None
        account_sid = services.twilio.account_sid
        self._claims = Claims(self.database, account_sid)
        self._liveness = Liveness(self.database, account_sid)
        limits = Limits(
            services.alerts_per_number_per_hour,
            services.alerts_per_person_per_hour,
            services.daily_spend_limit,
            services.time_zone,
        )
        self.history = History(self.database, account_sid, limits)
        self.broadcasts = BroadcastHistory(self.database, self.history)
        self.approvals = Approvals(self.database, self.history, self.broadcasts)
        self.worker: Worker | None = None

    async def open(self) -> None:
        """Open the database and begin to deliver. Raises `DatabaseError`."""
        await self.database.open()
        if self._mode == "observer":
            return
        self._giving_way = asyncio.create_task(self._give_way(), name="giving way")
        if self._mode == "app" and await self.workers():
            self._standing_by = asyncio.create_task(self._stand_by(), name="standing by")
        else:
            await self._start_worker()

    async def close(self) -> None:
        """Stop delivering, and close the database."""
        for waiting in filter(None, (self._standing_by, self._giving_way)):
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        if self.worker:
            await self.worker.close()
        await self.broadcasts.close()
        await self.history.close()
        await self.database.close()

    async def _give_way(self) -> None:
        """Stop delivering once a newer version of Callboard has changed the tables.

        The newer version's processes go on with the alerts, because they take this worker for dead.
        """
        await self.database.until_newer()
        if self._standing_by:
            self._standing_by.cancel()
        worker, self.worker = self.worker, None
        if worker:
            log.error(
                "A newer version of Callboard has changed the tables of the database, so this "
                "process delivers nothing any more."
            )
            await worker.close()

    async def check_database(self) -> None:
        """Raise `DatabaseError` unless the database can be read and written right now."""
        await self.database.check()

    async def is_delivered(self) -> bool:
        """Return whether some process is alive that delivers: a worker, or an app."""
        return bool(await self._liveness.alive())

    async def workers(self) -> int:
        """Return how many worker processes (which only deliver) are alive."""
        modes = await self._liveness.alive()
        return sum(mode == "worker" for mode in modes.values())

    async def _start_worker(self) -> None:
        worker = Worker(self._services, self.history, self._claims, self._liveness, self._mode)
        try:
            await worker.start()
        except BaseException:
            # Otherwise it would go on counting as alive.
            await worker.close()
            raise
        self.worker = worker

    async def _stand_by(self) -> None:
        """Wait until no worker process is alive any more, then deliver here."""
        looks_without = 0
        while self.worker is None:
            try:
                looks_without = 0 if await self.workers() else looks_without + 1
                if looks_without == LOOKS_BEFORE_DELIVERING:
                    await self._start_worker()
            except NewerDatabase:
                return
            except Exception:
                log.exception("Couldn't take over delivering; trying again in a moment")
                looks_without = 0
            await asyncio.sleep(STANDBY_INTERVAL_SECONDS)
