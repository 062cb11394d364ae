"""When a rule is checked: at an interval, or at the times of a cron line in the rule's zone.

People read and write both in words: "every 5 minutes", "weekdays at 07:00".
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from cronsim import CronSim, CronSimError

from alerts.errors import UnusableInput
from alerts.time_zones import in_time_zone

MOST_AT_CHARACTERS = 100
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
# What people call several days, and cron's way of writing them.
GROUPS = {"every day": "*", "daily": "*", "weekdays": "1-5", "weekends": "0,6"}
EXAMPLE = "Write it as every 5 minutes, as weekdays at 07:00, or as a cron line: 0 7 * * 1-5."
ONE_MINUTE = "Times of one rule share their minute, as 07:00 and 19:00: make two rules of this."

_INTERVAL = re.compile(r"every\s+(?:(\d+(?:\.\d+)?)\s+)?(second|minute|hour|day)s?")
_HOURLY = re.compile(r"(?:hourly|every hour) at\s+:?([0-5]?\d)")
_AT_TIMES = re.compile(r"(.+?)\s+at\s+([\d:,\s]+(?:and[\d:\s]+)?)")
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
# Between days or times, also with a comma before "and".
_AND = re.compile(r",\s*and\b|,|\band\b")
_MONTHLY = re.compile(r"(?:day (\d{1,2})|the (?:(\d{1,2})(?:st|nd|rd|th))) of (?:each|every) month")


def next_check(
    every_seconds: float, at: str, time_zone: str, *, due: datetime, now: datetime
) -> datetime:
    """Return when the check after the one that was due at `due`, and is made `now`, is due.

    It is after `now`: one check makes up for all that were missed. An interval keeps its rhythm.
    Cron lines are read in `time_zone` as Debian's cron does: a time that a clock skips in spring
    comes right after, and one that it shows twice in autumn counts once. Times are in UTC.
    """
    if at:
        return next(CronSim(at, in_time_zone(now, time_zone))).astimezone(UTC)
    every = timedelta(seconds=every_seconds)
    # If the clock was set back, the next check must still come within one interval.
    if due > now:
        return now + every
    missed = (now - due) // every
    return due + (missed + 1) * every


def first_check(every_seconds: float, at: str, time_zone: str, now: datetime) -> datetime:
    """Return when a rule that was just saved is checked first: at once, or at its next time."""
    return next_check(every_seconds, at, time_zone, due=now, now=now) if at else now


def check_at(at: str) -> None:
    """Raise `UnusableInput` for a cron line that can't be read or never comes."""
    if len(at) > MOST_AT_CHARACTERS or len(at.split()) != 5:
        sentence = "Write five fields: minute, hour, day, month, weekday. 0 7 * * 1-5 is 07:00 on"
        raise UnusableInput("at", f"{sentence} weekdays.")
    try:
        next(CronSim(at, datetime.now(UTC)))
    except (CronSimError, StopIteration):
        sentence = "These times can't be read. 0 7 * * 1-5 is 07:00 on weekdays."
        raise UnusableInput("at", sentence) from None


def schedule_words(every_seconds: float, at: str) -> str:
    """Return when a rule is checked in words: "every 5 minutes", "weekdays at 07:00".

    `read_schedule` reads them back to the same. A cron line that has no such words stays as it is.
    """
    if at:
        words = _at_words(at)
        return words if words and read_schedule(words) == (0.0, at) else at
    for unit in ("day", "hour", "minute"):
        count, rest = divmod(every_seconds, SECONDS[unit])
        if not rest and count:
            return _every(count, unit)
    return _every(every_seconds, "second")


def read_schedule(text: str) -> tuple[float, str]:
    """Return the seconds between checks and "", or 0 and a cron line, for what people write.

    Raises `UnusableInput` about `schedule`.
    """
    words = " ".join(text.split()).lower()
    # Refuse an interval of 0 here: with it, callers expect a cron line.
    if (found := _INTERVAL.fullmatch(words)) and (count := float(found[1] or 1)):
        return count * SECONDS[found[2]], ""
    if words == "hourly":
        return float(SECONDS["hour"]), ""
    if found := _HOURLY.fullmatch(words):
        return 0.0, f"{int(found[1])} * * * *"
    if found := _AT_TIMES.fullmatch(words):
        return 0.0, _cron_line(found[1], found[2])
    if len(words.split()) == 5 and set(words) <= set("0123456789*/,-# abcdefghijklmnopqrstuvwxyz"):
        line = " ".join(text.split())
        try:
            check_at(line)
        except UnusableInput as problem:
            raise UnusableInput("schedule", str(problem)) from None
        return 0.0, line
    raise UnusableInput("schedule", EXAMPLE)


def _cron_line(days: str, times: str) -> str:
    found = [_TIME.fullmatch(each.strip()) for each in _AND.split(times)]
    clock = [(int(each[1]), int(each[2])) for each in found if each]
    if len(clock) < len(found):
        raise UnusableInput("schedule", EXAMPLE)
    minutes = {minute for _, minute in clock}
    if len(minutes) > 1:
        raise UnusableInput("schedule", ONE_MINUTE)
    hours = ",".join(str(hour) for hour in sorted({hour for hour, _ in clock}))
    if monthly := _MONTHLY.fullmatch(days):
        day, weekdays = monthly[1] or monthly[2], "*"
        if not 1 <= int(day) <= 31:
            raise UnusableInput("schedule", EXAMPLE)
        day = str(int(day))
    else:
        day, weekdays = "*", GROUPS.get(days) or _weekdays(days)
    return f"{minutes.pop()} {hours} {day} * {weekdays}"


def _weekdays(text: str) -> str:
    """Return cron's numbers of days such as "Mondays", "Mon, Wed and Fri"."""
    found = set()
    for each in _AND.split(text.removeprefix("every ").removeprefix("on ")):
        name = each.strip().removesuffix(".")
        matching = [
            number
            for number, day in enumerate(DAYS)
            if len(name) >= 3 and f"{day}s".lower().startswith(name)
        ]
        if not matching:
            raise UnusableInput("schedule", EXAMPLE)
        found.add(matching[0])
    return ",".join(map(str, sorted(found)))


def _at_words(at: str) -> str:
    """Return a cron line in words, "" if it can't be put into words."""
    minute, hours, day, month, weekday = at.split()
    if not minute.isdigit() or month != "*":
        return ""
    if [hours, day, weekday] == ["*", "*", "*"]:
        return f"hourly at :{int(minute):02}"
    days = _day_words(day, weekday)
    if not days or not re.fullmatch(r"\d+(,\d+)*", hours):
        return ""
    times = [f"{int(hour):02}:{int(minute):02}" for hour in hours.split(",")]
    return f"{days} at {_listed(times)}"


def _day_words(day: str, weekday: str) -> str:
    if day != "*":
        return f"day {day} of each month" if weekday == "*" and day.isdigit() else ""
    names = {"*": "daily", "1-5": "weekdays", "0,6": "weekends"}
    if weekday in names or not re.fullmatch(r"[0-6](,[0-6])*", weekday):
        return names.get(weekday, "")
    numbers = [int(each) for each in weekday.split(",")]
    if len(numbers) == 1:
        return f"{DAYS[numbers[0]]}s"
    return _listed([DAYS[each][:3] for each in numbers])


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _every(count: float, unit: str) -> str:
    # Written in full, so that it is read back unchanged.
    shown = int(count) if count == int(count) else count
    return f"every {unit}" if count == 1 else f"every {shown} {unit}s"
