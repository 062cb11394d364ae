"""When an alert's next try is due, and why not before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from alerts.alert import Alert
from alerts.quiet_hours import read_quiet_hours

QUIET = "Quiet hours there: waits until"
HELD_BACK = "Can be undone until"


def when_due(alert: Alert) -> tuple[datetime, str]:
    """Return when the alert's next try may begin, and why not before."""
    number = alert.try_number
    if alert.send_now:
        return alert.since, ""
    due, why = alert.not_before, "This number has reached its hourly limit: waits until"
    if number == 1 and due <= alert.since + timedelta(seconds=alert.request.hold_seconds):
        why = HELD_BACK
    if number > 1:
        minutes = alert.present_try.minutes_later
        due, why = alert.since + timedelta(minutes=minutes), f"Try {number} comes at"
    end = quiet_until(alert, max(due, datetime.now(UTC)))
    return (end, QUIET) if end else (due, why)


def quiet_until(alert: Alert, moment: datetime) -> datetime | None:
    """Return when quiet hours end if they hold the alert back at `moment`, else None."""
    if alert.send_now or alert.request.urgent or not alert.request.quiet_hours:
        return None
    hours = read_quiet_hours(alert.request.quiet_hours)
    return hours.end_after(moment, alert.to) if hours else None
