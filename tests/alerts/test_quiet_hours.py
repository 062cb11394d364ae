"""Quiet hours, and the time zones of a number; on both days when the clocks change too."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import UnusableInput
from alerts.quiet_hours import QuietHours, read_quiet_hours
from alerts.time_zones import time_zones

NEW_YORK, SAN_ANTONIO, TOLL_FREE = "+14125550199", "+12102223344", "+18005550199"
BRITISH_MOBILE, RUSSIAN_MOBILE, AUSTRALIAN_MOBILE = "+447700900123", "+79161234567", "+61412345678"
SATELLITE = "+883510000000094"
NUMBERS = [NEW_YORK, SAN_ANTONIO, TOLL_FREE, BRITISH_MOBILE, RUSSIAN_MOBILE, AUSTRALIAN_MOBILE]
NIGHT = QuietHours(time(22), time(7))
TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0))
HOURS = st.tuples(TIMES, TIMES).filter(lambda both: both[0] != both[1])
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))
CHANGES = [datetime(2026, 3, 8, 7), datetime(2026, 11, 1, 6), datetime(2026, 3, 29, 1)]
AROUND_A_CHANGE = st.builds(
    lambda change, minutes: change.replace(tzinfo=UTC) + timedelta(minutes=minutes),
    st.sampled_from(CHANGES),
    st.integers(-1500, 1500),
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "  "])
def test_none(text):
    assert read_quiet_hours(text) is None


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("22:00-07:00", NIGHT),
        (" 22:00 - 7:00 ", NIGHT),
        ("22:00\u201307:00", NIGHT),
        ("00:00-23:59", QuietHours(time(0), time(23, 59))),
    ],
)
def test_read(text, hours):
    assert read_quiet_hours(text) == hours


@pytest.mark.parametrize(
    "text",
    [
        "22:00",
        "22-7",
        "24:00-07:00",
        "22:60-07:00",
        "22:00-22:00",
        "10pm-7am",
        "-",
        "22:00-07:00 x",
        "22:00-07:00\n22:00-07:00",
        "22:00--07:00",
        "\u0662\u0662:00-07:00",
    ],
)
def test_unusable(text):
    with pytest.raises(UnusableInput, match="22:00-07:00") as refused:
        read_quiet_hours(text)
    assert refused.value.field == "quiet_hours"


@given(st.text())
def test_whatever_is_typed_is_read_or_refused(text):
    with suppress(UnusableInput):
        read_quiet_hours(text)


@pytest.mark.parametrize(
    ("number", "moment", "end"),
    [
        # 21:59, 22:00, 06:59:59 and 07:00 in New York, in winter
        (NEW_YORK, "2026-01-11T02:59:59", None),
        (NEW_YORK, "2026-01-11T03:00", "2026-01-11T12:00"),
        (NEW_YORK, "2026-01-11T11:59:59", "2026-01-11T12:00"),
        (NEW_YORK, "2026-01-11T12:00", None),
        # in summer
        (NEW_YORK, "2026-07-11T02:00", "2026-07-11T11:00"),
        # the night when clocks go on, and the one when they go back
        (NEW_YORK, "2026-03-08T03:30", "2026-03-08T11:00"),
        (NEW_YORK, "2026-11-01T02:30", "2026-11-01T12:00"),
        # the country's zone where the number doesn't tell
        (BRITISH_MOBILE, "2026-07-11T05:59", "2026-07-11T06:00"),
        (BRITISH_MOBILE, "2026-01-11T06:59", "2026-01-11T07:00"),
        (SATELLITE, "2026-07-11T06:59", "2026-07-11T07:00"),
    ],
)
def test_night(number, moment, end):
    assert NIGHT.end_after(utc(moment), number) == (end and utc(end))


def test_an_end_that_the_clocks_leave_out_is_when_they_change():
    hours = QuietHours(time(22), time(2, 30))  # on March 8, 02:00 is followed by 03:00
    assert hours.end_after(utc("2026-03-08T06:00"), NEW_YORK) == utc("2026-03-08T07:00")
    hours = QuietHours(time(3, 10), time(2, 30))
    assert hours.end_after(utc("2026-03-08T06:00"), NEW_YORK) == utc("2026-03-08T07:00")


def test_an_end_that_comes_twice():
    hours = QuietHours(time(22), time(1, 30))  # on November 1, 01:00 to 02:00 comes twice
    assert hours.end_after(utc("2026-11-01T05:10"), NEW_YORK) == utc("2026-11-01T05:30")
    assert hours.end_after(utc("2026-11-01T05:40"), NEW_YORK) is None
    assert hours.end_after(utc("2026-11-01T06:10"), NEW_YORK) == utc("2026-11-01T06:30")


def test_of_several_zones_the_last_to_wake_up_counts():
    assert len(time_zones(TOLL_FREE)) > 20
    # At 07:00 in Samoa it is still night in Guam. After that it is day everywhere until 22:00 in
    # Newfoundland.
    assert NIGHT.end_after(utc("2026-07-11T11:00"), TOLL_FREE) == utc("2026-07-11T21:00")
    assert NIGHT.end_after(utc("2026-07-12T00:29"), TOLL_FREE) is None
    assert NIGHT.end_after(utc("2026-07-12T00:30"), TOLL_FREE) == utc("2026-07-12T21:00")


def test_zones_all_around_the_clock():
    """It is always night in one of the zones: then the first where it is night now counts."""
    hours = QuietHours(time(8), time(7, 30))
    zone = time_zones(RUSSIAN_MOBILE)[0]
    end = hours.end_after(utc("2026-07-11T12:00"), RUSSIAN_MOBILE)
    assert end is not None
    assert end.astimezone(zone).time() == time(7, 30)


@given(hours=HOURS, moment=MOMENTS | AROUND_A_CHANGE, number=st.sampled_from(NUMBERS))
def test_the_end_is_the_first_moment_that_is_not_quiet(hours, moment, number):
    quiet = QuietHours(*hours)
    end = quiet.end_after(moment, number)
    if end is None:
        return
    assert end > moment
    assert end.tzinfo is UTC
    zones = time_zones(number)
    if len(zones) == 1:
        assert quiet.end_after(end, number) is None
        minute = moment
        while minute < end:
            assert is_quiet(hours, minute, zones[0])
            minute += timedelta(minutes=1)
    elif quiet.end_after(end, number) is not None:
        assert any(not is_quiet(hours, end, zone) for zone in zones)
        # Really never: at no quarter of an hour of the days after.
        quarters = [end + timedelta(minutes=15 * n) for n in range(100)]
        assert all(any(is_quiet(hours, at, zone) for zone in zones) for at in quarters)


def is_quiet(hours, moment, zone):
    """Compare with a search that goes minute by minute."""
    start, end = (at.hour * 60 + at.minute for at in hours)
    local = moment.astimezone(zone)
    return (local.hour * 60 + local.minute - start) % 1440 < (end - start) % 1440


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (SAN_ANTONIO, "22:00 to 07:00 in Chicago"),
        ("+16052223344", "22:00 to 07:00 in Denver or Center, North Dakota"),
        ("+541122223333", "22:00 to 07:00 in Buenos Aires"),
        (TOLL_FREE, "22:00 to 07:00 in any time zone of that number"),
        (BRITISH_MOBILE, "22:00 to 07:00 in London"),
        (SATELLITE, "22:00 to 07:00 UTC"),
    ],
)
def test_words(number, words):
    assert NIGHT.words(number) == words


def test_zones():
    assert time_zones(NEW_YORK) == (ZoneInfo("America/New_York"),)
    assert time_zones(SATELLITE) == (UTC,)
