"""Reports: what pages and lists read of the history, and nothing of what sends alerts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from alerts import overview, search
from alerts.filters import Counts, Filters, MadeTry, Overview, Page

if TYPE_CHECKING:
    from database.database import Database


class Reports:
    """What became of the alerts of one Twilio account: lists, counts and sums."""

    def __init__(self, database: Database, account_sid: str) -> None:
        self.account_sid = account_sid
        self._database = database

    async def search(
        self,
        filters: Filters,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int = 25,
    ) -> Page:
        """Return the newest rows older than position `before`, or the oldest newer than `after`."""
        return await self._database.read(
            partial(
                search.page,
                account_sid=self.account_sid,
                filters=filters,
                before=before,
                after=after,
                limit=limit,
            )
        )

    async def counts(self, filters: Filters) -> Counts:
        """Count the alerts of each kind, whatever kind the filters ask for."""
        return await self._database.read(
            partial(search.counts, account_sid=self.account_sid, filters=filters)
        )

    async def overview(self, hours: Sequence[datetime], month: datetime) -> Overview:
        """Return who sends, the alerts between the moments `hours`, and the costs since `month`."""
        return await self._database.read(
            partial(overview.overview, account_sid=self.account_sid, hours=hours, month=month)
        )

    async def tries(self, alert_id: str) -> list[MadeTry]:
        """Return the tries that Twilio accepted, with SID and price, in order."""
        return await self._database.read(
            partial(overview.tries, account_sid=self.account_sid, alert_id=alert_id)
        )

    async def pulse(self) -> tuple[float, int, int]:
        """Return what differs after every change to an alert that hasn't ended."""
        return await self._database.read(partial(overview.pulse, account_sid=self.account_sid))
