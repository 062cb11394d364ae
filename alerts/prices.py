"""What Twilio charged for calls and texts: read from its lists some time after they ended.

Twilio knows a price only after the end, and may take minutes or longer. So a list is read now and
then, less and less often, and never after two days.
https://www.twilio.com/docs/voice/api/call-resource#call-properties
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import get_args

from alerts.alert import Channel
from alerts.history import History
from alerts.services import Services
from alerts.submissions import Price
from database import NewerDatabase
from twilio_client import Call, Message, TwilioClient, TwilioError

log = logging.getLogger(__name__)

SECONDS_BETWEEN_CHECKS = 10.0
FIRST_INTERVAL = timedelta(seconds=60)
LONGEST_INTERVAL = timedelta(hours=1)
# An interval is this part of the time since the newest call or text without a price.
PART_OF_AGE = 0.5
GIVE_UP_AFTER = timedelta(days=2)
PAGE_ROWS = 1000
MOST_ROWS_READ = 5000
# Twilio's clock and ours differ a little, and its list needn't be exactly in order.
LIST_TIME_MARGIN = timedelta(minutes=2)

# Calls that nobody answered cost nothing, and never get a price.
FREE_ENDS = ("busy", "no-answer", "failed", "canceled")


class Prices:
    """The prices of one account's calls and texts, in the submissions of its history."""

    def __init__(self, services: Services, history: History) -> None:
        self._twilio = services.twilio
        self._history = history
        self._next_look: dict[Channel, datetime] = {}

    async def run(self) -> None:
        """Look again and again, until the task is canceled."""
        while True:
            await asyncio.sleep(SECONDS_BETWEEN_CHECKS)
            try:
                await self.look()
            except TwilioError as problem:
                # Prices are nice to have; what matters more says that Twilio can't be reached.
                log.debug("Prices couldn't be read: %s", problem)
            except NewerDatabase:
                return
            except Exception:
                log.exception("Reading prices failed; trying again in a moment")

    async def look(self) -> None:
        """Read the lists that it is time for, and save the prices. Raises `TwilioError`."""
        after = datetime.now(UTC) - GIVE_UP_AFTER
        unpriced = await self._history.unpriced(after, MOST_ROWS_READ)
        for channel in get_args(Channel):
            wanted = {sid: at for sid, (of, at) in unpriced.items() if of == channel}
            if wanted and self._is_time(channel, sorted(wanted.values())):
                await self._read(channel, wanted)

    def _is_time(self, channel: Channel, ended: Sequence[datetime]) -> bool:
        now, oldest, newest = datetime.now(UTC), ended[0], ended[-1]
        if now - oldest < FIRST_INTERVAL or now < self._next_look.get(channel, now):
            return False
        interval = max(FIRST_INTERVAL, (now - newest) * PART_OF_AGE)
        self._next_look[channel] = now + min(interval, LONGEST_INTERVAL)
        return True

    async def _read(self, channel: Channel, wanted: Mapping[str, datetime]) -> None:
        oldest = min(wanted.values()) - LIST_TIME_MARGIN
        found: dict[str, Price] = {}
        missing = set(wanted)
        async for row in _newest(self._twilio, channel, missing):
            if row.sid in missing:
                missing.discard(row.sid)
                if price := _price_of(row):
                    found[row.sid] = price
            # The submissions' times are by Twilio's clock too.
            if not missing or (row.date_created and row.date_created < oldest):
                break
        if found:
            await self._history.set_prices(found)


def _price_of(row: Call | Message) -> Price | None:
    unit = row.price_unit or "USD"
    if row.price is not None and row.price.is_finite():
        return Price(abs(float(row.price)), unit)
    return Price(0.0, unit) if isinstance(row, Call) and row.status in FREE_ENDS else None


def _newest(
    twilio: TwilioClient, channel: Channel, wanted: Collection[str]
) -> AsyncIterator[Call] | AsyncIterator[Message]:
    # The list may have calls and texts of other programs between ours, so ask for more rows.
    page_size = min(PAGE_ROWS, max(50, 4 * len(wanted)))
    if channel == "call":
        return twilio.list_calls(page_size=page_size, limit=MOST_ROWS_READ)
    return twilio.list_messages(page_size=page_size, limit=MOST_ROWS_READ)
