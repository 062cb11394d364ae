"""Before a try: wait until it is due, however long that takes."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from alerts.alert import Alert, Event
from alerts.claims import Claims
from alerts.history import History
from alerts.message.languages import in_time_zone
from alerts.quiet_hours import read_quiet_hours
from alerts.status import Status

QUIET = "Quiet hours there: waits until"
ANNOUNCE_WAITS_OVER = timedelta(seconds=2)
# A night's alerts would fill the memory of a process: the database keeps them.
DEFER_WAITS_OVER = timedelta(seconds=30)
# A clock that is set differently is noticed within the hour.
LONGEST_WAIT_SECONDS = 3600.0


async def wait_until_due(history: History, claims: Claims, alert: Alert) -> Alert | None:
    """Wait for the alert's next try, and return the alert as it stands then.

    None if it has ended, or if the wait is long: it is then deferred, and any worker may claim it
    once it is due.
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
            await _announce(history, alert, f"{why} {_clock(due, alert)}")
        if due - now > DEFER_WAITS_OVER:
            await claims.defer(alert.id, due)
            return None
        with suppress(TimeoutError):
            # Only its end can come in between: it is canceled, or an earlier call is confirmed.
            await history.until(
                alert.id, lambda newest: newest.status.final, (due - now).total_seconds()
            )


async def wait_out_quiet_hours(history: History, alert: Alert, end: datetime) -> None:
    """Wait with a try that has begun, unless it is canceled."""
    await _announce(history, alert, f"{QUIET} {_clock(end, alert)}")
    with suppress(TimeoutError):
        await history.until(
            alert.id,
            lambda newest: newest.canceling or newest.status.final,
            min((end - datetime.now(UTC)).total_seconds(), LONGEST_WAIT_SECONDS),
        )


def when_due(alert: Alert) -> tuple[datetime, str]:
    """When the alert's next try may begin, and why not before."""
    number = alert.try_number
    due, why = alert.not_before, "This number has had its most alerts an hour: waits until"
    if number > 1:
        minutes = alert.present_try.minutes_later
        due, why = alert.since + timedelta(minutes=minutes), f"Try {number} comes at"
    end = quiet_until(alert, max(due, datetime.now(UTC)))
    return (end, QUIET) if end else (due, why)


def quiet_until(alert: Alert, moment: datetime) -> datetime | None:
    """When the recipient's quiet hours end, if `moment` is in them and the alert respects them."""
    if alert.request.urgent or not alert.request.quiet_hours:
        return None
    hours = read_quiet_hours(alert.request.quiet_hours)
    return hours.end_after(moment, alert.to) if hours else None


async def _announce(history: History, alert: Alert, note: str) -> None:
    if alert.events[-1].note != note:
        event = Event(datetime.now(UTC), None, note, try_number=alert.try_number)
        await history.record(alert.id, event)


def _clock(moment: datetime, alert: Alert) -> str:
    """The time on the sender's clock; with the day, if that is another one."""
    there = in_time_zone(moment, alert.request.time_zone)
    today = in_time_zone(datetime.now(UTC), alert.request.time_zone)
    return f"{there:%H:%M %Z}" if there.date() == today.date() else f"{there:%H:%M %Z on %A}"
