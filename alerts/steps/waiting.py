"""Step 1: wait until an alert's next try is due, however long that takes."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from alerts.alert import Alert, Event
from alerts.claims import Claims
from alerts.history import History
from alerts.state import QUIET, waiting_note, when_due
from alerts.status import Status

ANNOUNCE_WAITS_OVER = timedelta(seconds=2)
# Longer waits are left to the database: a process that kept a night's alerts would need too much
# memory.
DEFER_WAITS_OVER = timedelta(seconds=30)
# Look at the clock again at least every hour, in case it has been set.
LONGEST_WAIT_SECONDS = 3600.0


async def wait_until_due(history: History, claims: Claims, alert: Alert) -> Alert | None:
    """Wait until the alert's next try is due, and return the alert as it stands then.

    None if the alert has ended, or if the wait is long: it is then deferred, and any worker may
    claim it once it is due.
    """
    while True:
        alert = history.newest(alert)
        if alert.status.final:
            return None
        due, why = when_due(alert)
        now = datetime.now(UTC)
        if alert.status is not Status.QUEUED or due <= now:
            return alert
        if due - now > ANNOUNCE_WAITS_OVER:
            await _announce(history, alert, waiting_note(alert, due, why))
        if due - now > DEFER_WAITS_OVER:
            if await claims.defer(alert.id, due):
                return None
            # It has ended or become due in another process, which this one doesn't know yet.
            await history.get_all([alert.id])
            continue
        with suppress(TimeoutError):
            # Meanwhile it can end, canceled or acknowledged, or a person sends it now.
            await history.until(
                alert.id,
                lambda newest: newest.status.final or newest.send_now,
                (due - now).total_seconds(),
            )


async def wait_out_quiet_hours(history: History, alert: Alert, end: datetime) -> None:
    """Hold back a try that had begun to send when quiet hours began, until their end."""
    await _announce(history, alert, waiting_note(alert, end, QUIET))
    await wait_while_sending(history, alert, end)


async def wait_while_sending(history: History, alert: Alert, end: datetime) -> None:
    """Hold back a try that had begun to send and may not go on before `end`.

    Ends early if the alert is canceled, or a person sends it now.
    """
    with suppress(TimeoutError):
        await history.until(
            alert.id,
            lambda newest: newest.canceling or newest.status.final or newest.send_now,
            min((end - datetime.now(UTC)).total_seconds(), LONGEST_WAIT_SECONDS),
        )


async def _announce(history: History, alert: Alert, note: str) -> None:
    if alert.events[-1].note != note:
        event = Event(datetime.now(UTC), None, note, try_number=alert.try_number)
        await history.record(alert.id, event)
