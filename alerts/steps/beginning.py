"""Writing a request to Twilio down before it is made, when it is the alert's turn."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from alerts.alert import Event
from alerts.keeping import attempts
from alerts.keeping.attempts import Attempt
from alerts.keeping.rows import Row, standing_of
from alerts.plan import Try, tries_of
from alerts.status import Status
from alerts.steps.courier import Courier
from alerts.steps.waiting import quiet_until, wait_for_the_morning
from storage import Instructions

# Seconds that aren't worth a second visit to the database.
AT_ONCE = 0.02
SECONDS_BETWEEN_LOOKS = 0.2


async def begin(
    courier: Courier, alert_id: str, try_number: int, instructions: Instructions | None
) -> Attempt | None:
    """Wait for the account's rate and for any other request to the number, then write ours down.

    None if the alert no longer wants it, or not yet, because quiet hours have begun meanwhile.
    """
    alert = await courier.alert(alert_id)
    wanted = tries_of(alert.request)[try_number - 1]
    while True:
        async with courier.turns[wanted.channel]:
            beginning = _Beginning(courier, alert_id, try_number, wanted)
            while not (morning := await _morning(courier, alert_id)):
                if not await beginning.has_to_wait(instructions):
                    break
        alert = await courier.alert(alert_id)
        if morning and alert.status is Status.QUEUED:
            return None
        if morning:
            await wait_for_the_morning(courier, alert, morning)
        elif beginning.number_is_busy:
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
        else:
            break
    if beginning.request is None:
        await _end_if_canceled(courier, alert_id, try_number)
    return beginning.request


async def _morning(courier: Courier, alert_id: str) -> datetime | None:
    """When the quiet hours end that keep the alert from being sent now."""
    alert = await courier.alert(alert_id)
    over = alert.canceling or alert.status.final
    return None if over else quiet_until(alert, datetime.now(UTC))


@dataclass
class _Beginning:
    """One request on its way to being written down."""

    courier: Courier
    alert_id: str
    try_number: int
    wanted: Try
    has_turn: bool = False
    # What the last visit to the database brought, one of these or nothing.
    request: Attempt | None = None
    number_is_busy: bool = False
    seconds: float = 0.0

    async def has_to_wait(self, instructions: Instructions | None) -> bool:
        """Take a turn, or use it; true after having waited for it, when all is to be seen anew."""
        now, clock_offset = datetime.now(UTC), self.courier.means.twilio.clock_offset
        request = Attempt(
            secrets.token_hex(8),
            self.alert_id,
            self.try_number,
            self.courier.history.account_sid,
            self.wanted.channel,
            self.wanted.to,
            # By the clock that Twilio's list goes by, whichever process will read it.
            now + clock_offset,
            clock_offset,
        )
        try:
            await self.courier.history.record(
                self.alert_id,
                _sending(self.courier, self.try_number, instructions),
                lambda connection, row: self._begins_sending(connection, row, request),
            )
        except sa.exc.IntegrityError:
            # Another process was faster.
            self.request, self.number_is_busy = None, True
        if not self.seconds:
            return False
        await asyncio.sleep(self.seconds)
        self.has_turn = True
        return True

    def _begins_sending(self, connection: sa.Connection, row: Row, request: Attempt) -> bool:
        """Write the request down, if it may be made now; true if that is the alert's first."""
        # Anew, for the transaction may have to be repeated.
        self.request, self.number_is_busy, self.seconds = None, False, 0.0
        stands = standing_of(row)
        if stands.status.final or stands.canceling or stands.sid:
            return False
        if stands.try_number != self.try_number:
            return False
        self.number_is_busy = attempts.is_busy(connection, request)
        if self.number_is_busy:
            return False
        if not self.has_turn:
            rate = self.courier.means.per_second(request.channel)
            wait = attempts.take_turn(connection, request.account_sid, request.channel, rate)
            if wait > AT_ONCE:
                self.seconds = wait
                return False
        attempts.begin(connection, request)
        self.request = request
        return stands.status is Status.QUEUED


def _sending(courier: Courier, try_number: int, instructions: Instructions | None) -> Event:
    now, url = datetime.now(UTC), None
    note = "On its way to Twilio"
    if instructions is not None:
        url = instructions.url
        note = f"Stored in {courier.means.storage.label}" if url else "Sent inside the request"
    return Event(now, Status.SENDING, note, try_number=try_number, twiml_url=url)


async def _end_if_canceled(courier: Courier, alert_id: str, try_number: int) -> None:
    alert = await courier.alert(alert_id)
    if alert.canceling and alert.sid is None:
        event = Event(datetime.now(UTC), Status.CANCELED, "Canceled", try_number=try_number)
        await courier.history.record(alert_id, event)
