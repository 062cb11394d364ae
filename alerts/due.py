"""When an alert's next try is due, and why not before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from alerts.alert import Alert, HeldFor
from alerts.quiet_hours import read_quiet_hours
from alerts.time_zones import in_time_zone

QUIET = "Quiet hours there: waits until"
HELD_BACK = "Can be undone until"
NUMBERS_HOUR = "This number has reached its hourly limit: waits until"
LIMITS: dict[HeldFor, str] = {
    "": "",
    "number": NUMBERS_HOUR,
    "spend": "The day's spend limit is reached: waits until",
}


def when_due(alert: Alert) -> tuple[datetime, str]:
    """Return when the alert's next try may begin, and why not before."""
    number = alert.try_number
    if alert.send_now:
        return alert.since, ""
    # Alerts that an earlier version saved may be held for their number's hour this way.
    due, why = alert.not_before, NUMBERS_HOUR
    if number == 1 and due <= alert.since + timedelta(seconds=alert.request.hold_seconds):
        why = HELD_BACK
    if number > 1:
        minutes = alert.present_try.minutes_later
        due, why = alert.since + timedelta(minutes=minutes), f"Try {number} comes at"
    if alert.held_until and alert.held_until > due:
        due, why = alert.held_until, LIMITS[alert.held_for]
    end = quiet_until(alert, max(due, datetime.now(UTC)))
    return (end, QUIET) if end else (due, why)


def quiet_until(alert: Alert, moment: datetime) -> datetime | None:
    """Return when quiet hours end if they hold the alert back at `moment`, else None."""
    if alert.send_now or alert.request.urgent or not alert.request.quiet_hours:
        return None
    hours = read_quiet_hours(alert.request.quiet_hours)
    return hours.end_after(moment, alert.to) if hours else None


def waiting_note(alert: Alert, due: datetime, why: str) -> str:
    """Return what the alert's story says while it waits: why, and until when."""
    is_short = why == HELD_BACK
    when = clock_time(due, datetime.now(UTC), alert.request.time_zone, seconds=is_short)
    return f"{why} {when}"


def clock_time(moment: datetime, now: datetime, time_zone: str, *, seconds: bool = False) -> str:
    """Return the time on the clock of `time_zone`, with the day unless that is today."""
    there, today = in_time_zone(moment, time_zone), in_time_zone(now, time_zone)
    time = f"{there:%H:%M:%S %Z}" if seconds else f"{there:%H:%M %Z}"
    return time if there.date() == today.date() else f"{time} on {there:%A}"
