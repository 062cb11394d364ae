"""When a day begins, and what a clock's time means, where clocks are changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import pytest

from alerts.time_zones import begin_of, midnight, moment_of


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Set this machine's time zone until the test ends."""
    with monkeypatch.context() as patch:

        def set_to(zone: str) -> None:
            patch.setenv("TZ", zone)
            time.tzset()

        yield set_to
    time.tzset()


@pytest.mark.parametrize(
    ("zone", "day", "begin"),
    [
        ("America/New_York", date(2026, 11, 1), datetime(2026, 11, 1, 4, tzinfo=UTC)),
        ("America/New_York", date(2026, 11, 2), datetime(2026, 11, 2, 5, tzinfo=UTC)),
        # There, clocks go from 24:00 to 01:00 on this day.
        ("America/Santiago", date(2026, 9, 6), datetime(2026, 9, 6, 4, tzinfo=UTC)),
        ("Africa/Cairo", date(2026, 4, 24), datetime(2026, 4, 23, 22, tzinfo=UTC)),
    ],
)
def test_a_day_begins_where_clocks_are_changed(
    set_clock: Callable[[str], None], zone: str, day: date, begin: datetime
):
    set_clock(zone)
    for named in (zone, ""):
        # Python never calls times equal where clocks are changed, unless they have the same zone.
        assert begin_of(day, named).astimezone(UTC) == begin
        assert midnight(begin, named).astimezone(UTC) == begin


def test_a_clocks_time_is_of_its_own_day(set_clock: Callable[[str], None]):
    # In November, New York is five hours behind; in July, four.
    july = datetime(2025, 7, 1, 16, tzinfo=UTC)
    assert moment_of(datetime(2025, 7, 1, 12), "America/New_York") == july
    set_clock("America/New_York")
    assert moment_of(datetime(2025, 7, 1, 12), "") == july
