"""Everything behind an open desk. Importing it takes a second or two: not before it is needed."""

from __future__ import annotations

import asyncio
import logging

import sqlalchemy as sa
from dbos._error import DBOSException

from alerts import claims as handover
from alerts.history import History
from alerts.services import Mode, Services
from alerts.steps.courier import Courier
from alerts.steps.polling import StatusPoller
from alerts.worker import Engine
from database.connecting import parsed
from database.database import Database, unusable
from database.liveness import liveness_of

log = logging.getLogger(__name__)

SECONDS_BETWEEN_LOOKS = 2.0


class Runtime:
    """The history, and the engine that delivers, unless workers in other processes do."""

    def __init__(self, services: Services, mode: Mode) -> None:
        url = services.database_url.get_secret_value()
        self._database = Database(url)
        self._presence = liveness_of(url)
        self._mode = mode
        account_sid = services.twilio.account_sid
        self.history = History(self._database, account_sid, services.alerts_per_number_per_hour)
        follower = StatusPoller(
            services.twilio, self.history.record, callbacks=services.callbacks is not None
        )
        self._courier = Courier(services, self.history, follower)
        self._engine: Engine | None = None
        self._standing_by: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Reach the database, and begin to deliver. Raises `DatabaseError`."""
        await self._database.open()
        if self._mode == "observer":
            return
        if self._mode == "app" and await self.workers():
            self._standing_by = asyncio.create_task(self._stand_by(), name="standing by")
        else:
            await self._launch()

    async def close(self) -> None:
        """Stop delivering, and close the database."""
        if self._standing_by:
            self._standing_by.cancel()
            await asyncio.gather(self._standing_by, return_exceptions=True)
        if self._engine:
            await self._engine.close()
        await self._courier.follower.close()
        await self.history.close()
        await self._database.close()

    @property
    def delivers(self) -> bool:
        """Whether this process delivers; otherwise it hands over."""
        return self._engine is not None

    async def start(self, alert_id: str) -> None:
        """Deliver an alert that was written down with a workflow of its own."""
        if self._engine:
            await self._engine.start(alert_id)

    def look(self) -> None:
        """Take up what was written down without a workflow."""
        if self._engine:
            self._engine.look()

    async def _launch(self) -> None:
        engine = Engine(self._courier, self._presence, self._mode)
        try:
            await engine.launch()
        except (sa.exc.SQLAlchemyError, DBOSException) as error:
            problem = unusable(parsed(self._database.url), error)
        else:
            self._engine = engine
            return
        # Outside of the block: the error that it caught would be shown, and may hold the password.
        raise problem

    async def workers(self) -> int:
        """How many processes are there whose only work is to deliver."""
        account_sid = self.history.account_sid
        known = await self.history.read(
            lambda connection: handover.signed_on(connection, account_sid)
        )
        workers = [each for each, mode in known.items() if mode == "worker"]
        return len(workers) - len(await self._presence.dead(workers))

    async def _stand_by(self) -> None:
        """Hand over to the workers for as long as there is one."""
        while self._engine is None:
            try:
                if not await self.workers():
                    await self._launch()
            except Exception:
                log.exception("Nobody delivers yet; trying again in a moment")
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
