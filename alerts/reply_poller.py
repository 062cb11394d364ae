"""Looking for replies at Twilio, as long as an open alert waits for one.

With `PUBLIC_URL` Twilio passes incoming texts on to this app, and the list of texts is read only in
case that the number's webhook isn't set, or that a request of Twilio's got lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta

from alerts.history import History
from alerts.replies import IncomingText
from alerts.services import Services
from database import NewerDatabase
from twilio_client import Message, TwilioError

log = logging.getLogger(__name__)

# How often the database is asked whether any reply is awaited.
SECONDS_BETWEEN_CHECKS = 2.0
# The list is read this often right after a text was sent, and less and less often as time passes.
FIRST_INTERVAL_SECONDS = 3.0
FIRST_INTERVAL_WITH_CALLBACKS_SECONDS = 30.0
LONGEST_INTERVAL_SECONDS = 60.0
# An interval is this part of the time that has passed since the last text.
PART_OF_AGE = 0.1
MOST_TEXTS_READ = 200
PAGE_ROWS = 50
# A messaging service texts from several numbers, so its replies are read for each recipient.
MOST_RECIPIENTS_READ = 20
# Twilio's clock and ours differ a little, and its list needn't be exactly in order.
LIST_TIME_MARGIN = timedelta(minutes=2)


class ReplyPoller:
    """Reads incoming texts from Twilio's list while replies are awaited."""

    def __init__(self, services: Services, history: History) -> None:
        self._services = services
        self._history = history
        self._last_look = datetime.min.replace(tzinfo=UTC)
        self._is_refused = False

    async def run(self) -> None:
        """Look again and again, until the task is canceled."""
        while True:
            try:
                awaited = await self._history.awaited_replies()
                if awaited and self._is_time(max(awaited.values())):
                    self._last_look = datetime.now(UTC)
                    await self.look(awaited)
                    self._is_refused = False
            except TwilioError as problem:
                if not self._is_refused:
                    log.warning("Incoming texts can't be read: %s", problem)
                self._is_refused = True
            except NewerDatabase:
                return
            except Exception:
                log.exception("Looking for replies failed; trying again in a moment")
            await asyncio.sleep(SECONDS_BETWEEN_CHECKS)

    async def look(self, awaited: Mapping[str, datetime]) -> None:
        """Save the incoming texts of these numbers since each was texted. Raises `TwilioError`."""
        found = [text async for text in self._incoming(awaited)]
        new = await self._history.unknown_texts([text.sid for text in found]) if found else set()
        # Oldest first, as they were written.
        for text in reversed(found):
            if text.sid in new:
                await self._history.receive(text)

    def _is_time(self, last_text: datetime) -> bool:
        now = datetime.now(UTC)
        first = FIRST_INTERVAL_SECONDS
        if self._services.callbacks is not None:
            first = FIRST_INTERVAL_WITH_CALLBACKS_SECONDS
        grown = max(first, (now - last_text).total_seconds() * PART_OF_AGE)
        wait = timedelta(seconds=min(grown, LONGEST_INTERVAL_SECONDS))
        return now - self._last_look >= wait

    async def _incoming(self, awaited: Mapping[str, datetime]) -> AsyncIterator[IncomingText]:
        offset = self._services.twilio.clock_offset
        oldest = min(awaited.values()) - LIST_TIME_MARGIN
        for rows in self._lists(awaited):
            async for row in rows:
                at = (row.date_created or datetime.now(UTC)) - offset
                if at < oldest:
                    break
                from_ = row.from_ or ""
                if row.direction == "inbound" and from_ in awaited:
                    yield IncomingText(row.sid, from_, row.to or "", row.body or "", at)

    def _lists(self, awaited: Mapping[str, datetime]) -> list[AsyncIterator[Message]]:
        twilio = self._services.twilio
        if self._services.messaging_service_sid is None:
            to = self._services.from_number
            return [twilio.list_messages(to=to, page_size=PAGE_ROWS, limit=MOST_TEXTS_READ)]
        newest = sorted(awaited, key=lambda number: awaited[number], reverse=True)
        return [
            twilio.list_messages(from_=number, limit=MOST_RECIPIENTS_READ)
            for number in newest[:MOST_RECIPIENTS_READ]
        ]
