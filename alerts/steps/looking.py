"""Looking at calls and texts at Twilio: one by one, or many in its list of recent ones."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from http import HTTPStatus

from alerts.alert import Channel
from alerts.steps.followed import Followed
from alerts.steps.observations import Observation, observe_call, observe_message
from twilio_client import (
    Call,
    Message,
    TwilioClient,
    TwilioError,
    TwilioRateLimited,
    TwilioRefused,
)

log = logging.getLogger(__name__)

MOST_AT_ONCE = 10
# However long Twilio asks us to wait: people want to hear what became of their alerts.
LONGEST_PAUSE = 60.0  # seconds
# More than so many are looked up in the list.
MANY = 20
LARGEST_PAGE = 1000
# Twilio's clock and ours differ a little, and its list needn't be exactly in order.
MARGIN = timedelta(minutes=2)


class Looks:
    """Looks at Twilio, few at once, and none while it asks for a pause."""

    def __init__(self, twilio: TwilioClient) -> None:
        self._twilio = twilio
        self._at_once = asyncio.Semaphore(MOST_AT_ONCE)
        self._paused_until = 0.0
        self._is_refused = False

    async def at(self, followed: Followed) -> Observation | TwilioError:
        """What Twilio says of one call or text now, or why that can't be known."""
        try:
            async with self._turn():
                if followed.channel == "call":
                    return observe_call(await self._twilio.fetch_call(followed.sid))
                return observe_message(await self._twilio.fetch_message(followed.sid))
        except TwilioError as error:
            return error

    async def at_many(
        self, channel: Channel, wanted: Sequence[Followed]
    ) -> dict[str, Observation | TwilioError]:
        """The same by SID, from the list; those left out are better looked at one by one."""
        try:
            async with self._turn():
                return await self._read_list(channel, wanted)
        except TwilioRefused:
            return {}  # An API key may be allowed to look at each but not at the list.
        except TwilioError as error:
            return {followed.sid: error for followed in wanted}

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        async with self._at_once:
            # Again and again, for meanwhile another request may have been told to wait.
            while (left := self._paused_until - loop.time()) > 0:  # noqa: ASYNC110
                await asyncio.sleep(left)
            try:
                yield
            except TwilioRateLimited as too_fast:
                pause = min(too_fast.retry_after or 1.0, LONGEST_PAUSE)
                self._paused_until = max(self._paused_until, loop.time() + pause)
                raise
            except TwilioRefused as refusal:
                # Of one that is missing the alert itself tells.
                if refusal.status != HTTPStatus.NOT_FOUND and not self._is_refused:
                    self._is_refused = True
                    log.warning("Twilio doesn't let us look at calls and texts: %s", refusal)
                raise
            self._is_refused = False

    async def _read_list(
        self, channel: Channel, wanted: Sequence[Followed]
    ) -> dict[str, Observation | TwilioError]:
        missing = {followed.sid for followed in wanted}
        oldest = min(followed.placed_at for followed in wanted) - MARGIN
        # On an account with other traffic ours are spread out among it.
        page_size = min(LARGEST_PAGE, 4 * len(wanted))
        # More pages would cost more than looking at each.
        rows = self._newest(channel, page_size, page_size * max(1, len(wanted) // MANY))
        seen: dict[str, Observation | TwilioError] = {}
        async for row in rows:
            if row.sid in missing:
                missing.remove(row.sid)
                seen[row.sid] = observe_call(row) if isinstance(row, Call) else observe_message(row)
            # Read here and not filtered there: Twilio filters by the day it was dialled.
            created = row.date_created
            if not missing or (created and created - oldest < self._twilio.clock_offset):
                break
        return seen

    def _newest(
        self, channel: Channel, page_size: int, limit: int
    ) -> AsyncIterator[Call] | AsyncIterator[Message]:
        if channel == "call":
            return self._twilio.list_calls(page_size=page_size, limit=limit)
        return self._twilio.list_messages(page_size=page_size, limit=limit)
