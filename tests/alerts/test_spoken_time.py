"""Times as a person would say them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from alerts.message.languages import LANGUAGES, spoken_now, spoken_today
from alerts.time_zones import in_time_zone

MOMENT = datetime(2026, 11, 20, 14, 42, tzinfo=UTC)  # a Friday


def plain(text: str) -> str:
    """Newer language data puts narrow spaces before AM and PM."""
    return text.replace("\u202f", " ").replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("language", "now", "today"),
    [
        ("en-US", "2:42 PM on Friday", "Friday, November 20, 2026"),
        ("en-CA", "2:42 p.m. on Friday", "Friday, November 20, 2026"),
        ("en-GB", "2:42 pm on Friday", "Friday, 20 November 2026"),
        ("de-DE", "Freitag, 14:42", "Freitag, 20. November 2026"),
        ("fr-FR", "vendredi, 14:42", "vendredi 20 novembre 2026"),
        ("es-MX", "viernes, 2:42 p.m.", "viernes, 20 de noviembre de 2026"),
        ("pl-PL", "piątek, 14:42", "piątek, 20 listopada 2026"),
        ("ja-JP", "金曜日, 14:42", "2026年11月20日金曜日"),
        ("zh-HK", "星期五, 下午2:42", "2026年11月20日星期五"),
    ],
)
def test_how_it_is_said(language, now, today):
    assert plain(spoken_now(MOMENT, language)) == now
    assert plain(spoken_today(MOMENT, language)) == today


@pytest.mark.parametrize("language", [each.code for each in LANGUAGES])
def test_every_language_says_the_day_and_the_minute(language):
    assert "42" in spoken_now(MOMENT, language)
    assert "20" in spoken_today(MOMENT, language)
    tomorrow = MOMENT.replace(day=21)
    assert spoken_now(tomorrow, language) != spoken_now(MOMENT, language)


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("UTC", "2:42 PM on Friday"),
        ("America/New_York", "9:42 AM on Friday"),
        ("Asia/Kolkata", "8:12 PM on Friday"),
        ("Pacific/Auckland", "3:42 AM on Saturday"),
    ],
)
def test_zones(zone, said):
    assert plain(spoken_now(in_time_zone(MOMENT, zone), "en-US")) == said


@pytest.mark.parametrize(
    "zone",
    ["", "Nowhere/Land", "America", "../../etc/passwd", "/etc/passwd", "\0", "\ud800", "x" * 999],
)
def test_an_unknown_zone_means_this_machines(zone):
    moved = in_time_zone(MOMENT, zone)
    assert moved == MOMENT
    assert moved.utcoffset() == MOMENT.astimezone().utcoffset()
