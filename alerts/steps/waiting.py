"""Before a try: waiting until it is due, however long that takes."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from alerts.alert import Alert, Event
from alerts.plan import tries_of
from alerts.quiet_hours import read_quiet_hours
from alerts.spoken_time import in_time_zone
from alerts.status import Status
from alerts.steps.courier import Courier

# Not worth a word to anybody.
SHORT = timedelta(seconds=2)


async def wait_until_due(courier: Courier, alert_id: str) -> int:
    """Wait until the alert's next try is to be made; gives its number, 0 if there is none.

    Ends at once when the alert is canceled. All is read from the history, so it may be begun
    again in the middle.
    """
    while True:
        alert = await courier.alert(alert_id)
        if alert.status.final:
            return 0
        due, why = when_due(alert)
        now = datetime.now(UTC)
        if alert.status is not Status.QUEUED or due <= now:
            return alert.try_number
        if due - now > SHORT:
            await _say_once(courier, alert, f"{why} {_clock(due, alert)}")
        with suppress(TimeoutError):
            # Nothing but its end can come in between: canceled, or a late key press.
            await courier.history.until(
                alert_id, lambda newest: newest.status.final, _seconds(due, now)
            )


def when_due(alert: Alert) -> tuple[datetime, str]:
    """When the alert's next try may begin, and why not before."""
    number = alert.try_number
    due, why = alert.not_before, "This number has had its most alerts an hour: waits until"
    if number > 1:
        minutes = tries_of(alert.request)[number - 1].minutes_later
        due, why = alert.since + timedelta(minutes=minutes), f"Try {number} comes at"
    hours = None if alert.request.urgent else read_quiet_hours(alert.request.quiet_hours)
    end = hours and hours.end_after(max(due, datetime.now(UTC)), alert.to)
    return (end, "Quiet hours there: waits until") if end else (due, why)


async def _say_once(courier: Courier, alert: Alert, note: str) -> None:
    if alert.events[-1].note != note:
        event = Event(datetime.now(UTC), None, note, try_number=alert.try_number)
        await courier.history.record(alert.id, event)


def _clock(moment: datetime, alert: Alert) -> str:
    """The time for whoever sent it; with the day, if that is another one."""
    there = in_time_zone(moment, alert.request.time_zone)
    today = in_time_zone(datetime.now(UTC), alert.request.time_zone)
    return f"{there:%H:%M}" if there.date() == today.date() else f"{there:%H:%M on %A}"


def _seconds(due: datetime, now: datetime) -> float:
    # A clock that is set anew, or summer time, is noticed within the hour.
    return min((due - now).total_seconds(), 3600)
