"""Before a try: waiting until it is due, however long that takes."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from alerts import claims as handover
from alerts.alert import Alert, Event, tries_of
from alerts.message.languages import in_time_zone
from alerts.quiet_hours import read_quiet_hours
from alerts.status import Status
from alerts.steps.courier import Courier
from alerts.steps.reconciling import settle_what_is_left

QUIET = "Quiet hours there: waits until"
# Not worth a word to anybody.
SHORT = timedelta(seconds=2)
# Worth a workflow of its own afterwards: a night's alerts would fill the memory of a process.
LONG = timedelta(seconds=30)


async def wait_until_due(courier: Courier, alert_id: str) -> int:
    """Wait until the alert's next try is to be made; gives its number.

    Gives 0 if there is none: the alert has come to its end, perhaps canceled meanwhile; or if that
    is a long time off, and some process will take it up then. All is read from the history, so it
    may be begun again in the middle.
    """
    while True:
        alert = await courier.alert(alert_id)
        if alert.status.final:
            await settle_what_is_left(courier, alert)
            return 0
        due, why = when_due(alert)
        now = datetime.now(UTC)
        if alert.status is not Status.QUEUED or due <= now:
            return alert.try_number
        if due - now > SHORT:
            await _say_once(courier, alert, f"{why} {_clock(due, alert)}")
        if due - now > LONG:
            await _put_off(courier, alert, due)
            return 0
        with suppress(TimeoutError):
            # Nothing but its end can come in between: canceled, or a late key press.
            await courier.history.until(
                alert_id, lambda newest: newest.status.final, (due - now).total_seconds()
            )


def when_due(alert: Alert) -> tuple[datetime, str]:
    """When the alert's next try may begin, and why not before."""
    number = alert.try_number
    due, why = alert.not_before, "This number has had its most alerts an hour: waits until"
    if number > 1:
        minutes = tries_of(alert.request)[number - 1].minutes_later
        due, why = alert.since + timedelta(minutes=minutes), f"Try {number} comes at"
    end = quiet_until(alert, max(due, datetime.now(UTC)))
    return (end, QUIET) if end else (due, why)


def quiet_until(alert: Alert, moment: datetime) -> datetime | None:
    """When the quiet hours end that it is `moment` in, where the alert goes; None if in none."""
    hours = None if alert.request.urgent else read_quiet_hours(alert.request.quiet_hours)
    return hours.end_after(moment, alert.to) if hours else None


async def wait_for_the_morning(courier: Courier, alert: Alert, morning: datetime) -> None:
    """Wait with a try that has begun, unless somebody cancels."""
    await _say_once(courier, alert, f"{QUIET} {_clock(morning, alert)}")
    with suppress(TimeoutError):
        await courier.history.until(
            alert.id,
            lambda newest: newest.canceling or newest.status.final,
            # A clock that is set anew is noticed within the hour.
            min((morning - datetime.now(UTC)).total_seconds(), 3600),
        )


async def _put_off(courier: Courier, alert: Alert, due: datetime) -> None:
    account_sid, due_at = courier.history.account_sid, due.timestamp()
    await courier.history.write(
        lambda connection: handover.defer(connection, account_sid, alert.id, due_at)
    )


async def _say_once(courier: Courier, alert: Alert, note: str) -> None:
    if alert.events[-1].note != note:
        event = Event(datetime.now(UTC), None, note, try_number=alert.try_number)
        await courier.history.record(alert.id, event)


def _clock(moment: datetime, alert: Alert) -> str:
    """The time for whoever sent it; with the day, if that is another one."""
    there = in_time_zone(moment, alert.request.time_zone)
    today = in_time_zone(datetime.now(UTC), alert.request.time_zone)
    return f"{there:%H:%M %Z}" if there.date() == today.date() else f"{there:%H:%M %Z on %A}"
