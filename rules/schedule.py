"""When a rule is checked: every so often, or at the times of a cron line."""

from __future__ import annotations

from datetime import UTC, datetime

from cronsim import CronSim, CronSimError

from alerts.errors import UnusableInput

MOST_AT_CHARACTERS = 100
ANY_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def check_at(at: str) -> None:
    """Raise `UnusableInput` for a cron line that can't be read or never comes."""
    fields = at.split()
    if len(at) > MOST_AT_CHARACTERS or len(fields) != 5:
        raise UnusableInput(
            "at",
            "Write five fields: minute, hour, day, month, weekday. 0 7 * * 1-5 is 07:00 on "
            "weekdays.",
        )
    try:
        next(CronSim(" ".join(fields), ANY_MOMENT))
    except (CronSimError, StopIteration):
        raise UnusableInput(
            "at", "These times can't be read. 0 7 * * 1-5 is 07:00 on weekdays."
        ) from None
