"""The alerts of rules in a simulation while a page is open, so that they ring on its handset."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime

from shiny import Session, reactive

from alerts import Alert, Desk
from dashboard.activity.live import pulse_of
from dashboard.background import failure_sentence, in_background, show

# The first page is served before the modules that read the history are imported.
SECONDS_BEFORE_LOOKING = 3.0
MOST_ALERTS = 20


class AlertsOfRules:
    """The newest alerts that rules have sent since a page was opened, as a reactive value."""

    def __init__(self, desk: Desk, session: Session) -> None:
        self._desk = desk
        self._since = datetime.now(UTC)
        self._found: reactive.Value[tuple[Alert, ...]] = reactive.Value(())
        following = in_background(self._follow(), "alerts of rules")

        def stop() -> None:
            following.cancel()

        session.on_ended(stop)

    def __call__(self) -> tuple[Alert, ...]:
        """Return the alerts as they stand; a reactive read."""
        return self._found()

    async def _follow(self) -> None:
        await asyncio.sleep(SECONDS_BEFORE_LOOKING)
        async with aclosing(pulse_of(self._desk).beats()) as beats:
            async for _ in beats:
                try:
                    found = await self._read()
                except Exception as error:  # noqa: BLE001 - the pages that read it say so too
                    failure_sentence(error)
                    continue
                await show({self._found: found})

    async def _read(self) -> tuple[Alert, ...]:
        # Imported here because it needs SQLAlchemy, which the first page doesn't wait for.
        from rules.causes import newest_of_rules  # noqa: PLC0415

        database, sid = await self._desk.database(), self._desk.services.twilio.account_sid
        ids = await newest_of_rules(database, sid, self._since, MOST_ALERTS)
        return tuple((await (await self._desk.history()).get_all(ids)).values())
