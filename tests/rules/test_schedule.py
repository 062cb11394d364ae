"""When rules are checked: intervals, times by a clock that is set forward and back, and words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import UnusableInput
from rules.schedule import check_at, first_check, next_check, read_schedule, schedule_words

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")


def after(at: str, *, now: datetime, zone: str = "America/New_York") -> datetime:
    """The next time of a cron line, by that zone's clock."""
    return next_check(0, at, zone, due=now, now=now).astimezone(ZoneInfo(zone))


def by_clock(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=NEW_YORK)


def test_an_interval_keeps_its_beat() -> None:
    late = NOON + timedelta(seconds=2.5)
    assert next_check(300, "", "", due=NOON, now=late) == NOON + timedelta(minutes=5)


def test_one_check_makes_up_for_all_that_were_missed() -> None:
    now = NOON + timedelta(hours=3, seconds=1)
    assert next_check(300, "", "", due=NOON, now=now) == NOON + timedelta(hours=3, minutes=5)
    morning = by_clock(2026, 3, 2, 7)
    week_later = by_clock(2026, 3, 9, 8)
    assert next_check(0, "0 7 * * *", "America/New_York", due=morning, now=week_later) == by_clock(
        2026, 3, 10, 7
    )


def test_a_clock_that_was_set_back_keeps_no_check_away() -> None:
    ahead = NOON + timedelta(days=400)
    assert next_check(60, "", "", due=ahead, now=NOON) == NOON + timedelta(minutes=1)


@given(
    st.floats(1, 1e6),
    st.floats(-1e7, 1e7),
)
def test_the_next_check_is_ahead_and_within_an_interval(every: float, since: float) -> None:
    due = NOON - timedelta(seconds=since)
    found = next_check(every, "", "", due=due, now=NOON)
    assert NOON < found <= NOON + timedelta(seconds=every, microseconds=1)


def test_a_rule_that_was_saved_is_checked_at_once_or_at_its_next_time() -> None:
    assert first_check(300, "", "", NOON) == NOON
    assert first_check(300, "0 7 * * *", "America/New_York", NOON) == by_clock(2026, 3, 2, 7)


def test_a_time_that_the_clock_skips_comes_right_after() -> None:
    # On 8 March 2026 clocks in New York go from 02:00 to 03:00.
    assert after("30 2 * * *", now=by_clock(2026, 3, 8)) == by_clock(2026, 3, 8, 3, 0)
    assert after("30 2 * * *", now=by_clock(2026, 3, 8, 4)) == by_clock(2026, 3, 9, 2, 30)


def test_a_time_that_the_clock_shows_twice_counts_once() -> None:
    # On 1 November 2026 clocks in New York go from 02:00 back to 01:00.
    first = after("30 1 * * *", now=by_clock(2026, 11, 1))
    assert first.astimezone(UTC) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert after("30 1 * * *", now=first) == by_clock(2026, 11, 2, 1, 30)


def test_seven_in_the_morning_is_that_in_the_rules_zone_summer_and_winter() -> None:
    for month, hour in ((1, 12), (7, 11)):
        found = after("0 7 * * *", now=by_clock(2026, month, 5))
        assert found.astimezone(UTC) == datetime(2026, month, 5, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("every", "at", "words"),
    [
        (1, "", "every second"),
        (90, "", "every 90 seconds"),
        (1.5, "", "every 1.5 seconds"),
        (60, "", "every minute"),
        (300, "", "every 5 minutes"),
        (3600, "", "every hour"),
        (86_400, "", "every day"),
        (7 * 86_400, "", "every 7 days"),
        (0, "5 * * * *", "hourly at :05"),
        (0, "0 7 * * *", "daily at 07:00"),
        (0, "30 7,12,19 * * *", "daily at 07:30, 12:30 and 19:30"),
        (0, "0 7 * * 1-5", "weekdays at 07:00"),
        (0, "0 10 * * 0,6", "weekends at 10:00"),
        (0, "0 7 * * 1", "Mondays at 07:00"),
        (0, "0 7 * * 1,3,5", "Mon, Wed and Fri at 07:00"),
        (0, "0 7 1 * *", "day 1 of each month at 07:00"),
        (0, "*/10 8-17 * * 1-5", "*/10 8-17 * * 1-5"),
        (0, "0 07 * * *", "0 07 * * *"),
        (0, "0 7 * * MON#1", "0 7 * * MON#1"),
    ],
)
def test_words_say_when_and_are_read_back(every: float, at: str, words: str) -> None:
    assert schedule_words(every, at) == words
    assert read_schedule(words) == (every, at)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("Every  Day at 7:00", (0, "0 7 * * *")),
        ("Mondays and thursdays at 19:00 and 07:00", (0, "0 7,19 * * 1,4")),
        ("mon, wed, and fri at 07:00", (0, "0 7 * * 1,3,5")),
        ("weekdays at 07:00, and 19:00", (0, "0 7,19 * * 1-5")),
        ("every Friday at 16:15", (0, "15 16 * * 5")),
        ("the 15th of every month at 09:00", (0, "0 9 15 * *")),
        ("hourly", (3600, "")),
        ("every hour at 20", (0, "20 * * * *")),
    ],
)
def test_people_write_it_in_several_ways(typed: str, read: tuple[float, str]) -> None:
    assert read_schedule(typed) == read


@pytest.mark.parametrize(
    "typed",
    ["", "often", "every -5 minutes", "every 0 minutes", "every 0.0 hours", "daily at noon",
     "daily at 25:00", "someday at 07:00", "daily at 07:00 and 19:30",
     "day 32 of each month at 07:00", "0 7 31 2 *", "on at 07:00"],
)  # fmt: skip
def test_what_cannot_be_read_is_told(typed: str) -> None:
    with pytest.raises(UnusableInput, match=r"Write|share|can't be read") as raised:
        read_schedule(typed)
    assert raised.value.field == "schedule"


def test_a_cron_line_that_never_comes_is_refused() -> None:
    check_at("0 7 29 2 *")
    with pytest.raises(UnusableInput, match="can't be read"):
        check_at("0 7 30 2 *")
