"""What a rule's owner hears about the rule itself, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rules.health import (
    Health,
    after_failure,
    after_success,
    retry_seconds,
    slow_seconds,
    stopped,
)
from rules.rule import Rule

RULE = Rule(id="1", name="Diacetyl", every_seconds=60)
MINUTE = 60.0
DAY = 24 * 3600.0


def failed(health: Health, *moments: float, is_stale: bool = False) -> tuple[Health, list[float]]:
    """Let checks fail at these moments; returns when the owner was told."""
    told = []
    for at in moments:
        health, words = after_failure(RULE, health, "No file.", at, is_stale=is_stale)
        if words:
            told.append(at)
    return health, told


def test_a_failed_check_is_told_to_nobody():
    health, told = failed(Health(), 0)
    assert (health.failures, health.failure, told) == (1, "No file.", [])
    health, words = after_success(RULE, health, [1], MINUTE)
    assert (health, words) == (Health(), None)


def test_it_is_told_after_three_failed_checks_and_fifteen_minutes():
    assert failed(Health(), 0, 1, 2, 3)[1] == []  # not in three seconds
    assert failed(Health(), 0, 16 * MINUTE)[1] == []  # nor for two checks
    assert failed(Health(), 0, 8 * MINUTE, 16 * MINUTE, 24 * MINUTE)[1] == [16 * MINUTE]


def test_then_once_a_day():
    moments = [each * 3600.0 for each in range(50)]
    assert failed(Health(), *moments)[1] == [2 * 3600, 26 * 3600]


def test_and_once_that_it_is_healthy_again():
    health, told = failed(Health(), 0, 8 * MINUTE, 16 * MINUTE)
    assert told
    health, words = after_success(RULE, health, [1], 20 * MINUTE)
    assert words
    assert words.text == "The rule Diacetyl is healthy again: it is checked as usual."
    assert after_success(RULE, health, [1], 21 * MINUTE) == (health, None)


def test_data_that_stopped_are_told_at_once():
    health, told = failed(Health(), 0, MINUTE, DAY + 1, is_stale=True)
    assert told == [0, DAY + 1]
    assert health.owner_told == "stale"


@pytest.mark.parametrize("back", [MINUTE, DAY, 400 * DAY])
def test_a_clock_that_is_set_back_tells_nothing_twice(back: float):
    start = 500 * DAY
    health, told = failed(Health(), start, start + 8 * MINUTE, start + 16 * MINUTE)
    assert told == [start + 16 * MINUTE]
    assert failed(health, *(start - back + each for each in range(5)))[1] == []


def test_a_slow_rule_is_told_once():
    slow = [25.0, 25.0, 25.0]
    health, words = after_success(RULE, Health(), slow, 0)
    assert words
    assert words.text.startswith("The rule Diacetyl is slow: its last checks took 25 s each.")
    assert after_success(RULE, health, slow, MINUTE)[1] is None
    # Two slow ones aren't yet worth a word, and one fast one doesn't make it fast.
    assert after_success(RULE, Health(), [25, 25, 1], 0)[1] is None
    assert after_success(RULE, health, [1, 25, 25], 0)[0].owner_told == "slow"
    assert after_success(RULE, health, [1, 1, 1], 0)[0].owner_told == ""


def test_what_is_slow_depends_on_the_interval():
    assert slow_seconds(replace(RULE, every_seconds=1)) == 2
    assert slow_seconds(replace(RULE, every_seconds=10)) == 10
    assert slow_seconds(replace(RULE, every_seconds=3600)) == 20
    assert slow_seconds(replace(RULE, at="0 7 * * *")) == 20


def test_data_stop_when_the_newest_is_too_old():
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    watching = replace(RULE, stale_after_minutes=60)
    assert stopped(watching, now - timedelta(minutes=60), now) == ""
    assert stopped(watching, now - timedelta(minutes=61), now) == (
        "Data stopped: the newest is from 61 minutes ago."
    )
    assert "3 hours" in stopped(watching, now - timedelta(hours=3), now)
    assert "5 days" in stopped(watching, now - timedelta(days=5), now)
    assert stopped(RULE, now - timedelta(days=5), now) == ""
    assert stopped(watching, None, now) == ""


def test_a_failed_check_is_made_again_soon_and_then_less_often():
    waits = [retry_seconds(failures) / 60 for failures in range(1, 8)]
    assert waits == [1, 2, 4, 8, 15, 15, 15]
    assert retry_seconds(100_000) == 15 * 60
