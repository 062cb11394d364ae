"""What a rule's owner is told about the rule itself, and when.

The owner is told that the rule can't be checked after 3 failed checks and 15 minutes, then once a
day; that its data stopped, at once, then once a day; and once that it is healthy again. A rule
without bad rows is healthy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from rules.rule import Rule

# What the owner was told last; "" for nothing, or that it is healthy again.
OwnerTold = Literal["", "failing", "stale", "slow"]

FAILURES_BEFORE_TELLING = 3
SECONDS_BEFORE_TELLING = 15 * 60.0
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 60, 15 * 60
SECONDS_BETWEEN_TELLING = 24 * 3600.0
SLOW_CHECKS_BEFORE_TELLING = 3
# A query may take 30 s. A rule that is checked more often counts as slow earlier: see
# `slow_seconds`.
SLOW_SECONDS = 20.0
LEAST_SLOW_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Health:
    """How a rule's checks went: failed ones in a row, since when, and why the last one failed.

    `owner_told_at` is when the owner was told. Times are in seconds since 1970.
    """

    failures: int = 0
    failing_since: float | None = None
    failure: str = ""
    owner_told: OwnerTold = ""
    owner_told_at: float | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """Words for the owner, and what they are about, which goes into the alert's id."""

    about: Literal["failing", "stale", "slow", "healthy", "held"]
    text: str


def after_failure(
    rule: Rule, health: Health, failure: str, at: float, *, is_stale: bool = False
) -> tuple[Health, Words | None]:
    """Return the health after a failed check, and what the owner is told, if anything."""
    since = at if health.failing_since is None else min(health.failing_since, at)
    after = replace(health, failures=health.failures + 1, failing_since=since, failure=failure)
    was_told = health.owner_told in {"failing", "stale"} and health.owner_told_at is not None
    if was_told:
        # If the clock was set back, the owner must not be told at every check.
        is_due = at - (health.owner_told_at or 0) >= SECONDS_BETWEEN_TELLING
    else:
        is_due = is_stale or (
            after.failures >= FAILURES_BEFORE_TELLING and at - since >= SECONDS_BEFORE_TELLING
        )
    if not is_due:
        return after, None
    about: Literal["stale", "failing"] = "stale" if is_stale else "failing"
    told = replace(after, owner_told=about, owner_told_at=at)
    if is_stale:
        return told, Words(about, f"{rule.name}: {failure}")
    still = "still can't" if was_told else "can't"
    words = f"The rule {rule.name} {still} be checked, so nobody hears what is bad. {failure}"
    return told, Words(about, words)


def after_success(
    rule: Rule, health: Health, seconds: Sequence[float], at: float
) -> tuple[Health, Words | None]:
    """Return the health after a check that counted, and what the owner is told, if anything.

    `seconds` are how long the last checks took, the newest first.
    """
    after = replace(health, failures=0, failing_since=None, failure="")
    if health.owner_told in {"failing", "stale"}:
        words = f"The rule {rule.name} is healthy again: it is checked as usual."
        return replace(after, owner_told="", owner_told_at=at), Words("healthy", words)
    last = seconds[:SLOW_CHECKS_BEFORE_TELLING]
    slow = [each for each in last if each >= slow_seconds(rule)]
    if len(slow) == SLOW_CHECKS_BEFORE_TELLING and health.owner_told != "slow":
        words = (
            f"The rule {rule.name} is slow: its last checks took {max(slow):.0f} s each. Check it "
            "less often, or let its query read less."
        )
        return replace(after, owner_told="slow", owner_told_at=at), Words("slow", words)
    if health.owner_told == "slow" and not slow:
        return replace(after, owner_told=""), None
    return after, None


def retry_seconds(failures: int) -> float:
    """Return the longest wait before the next check, in seconds, after `failures` in a row.

    A rule that is checked once a day must not wait a day because of one half-written file, and its
    owner must not wait three days to hear of a broken query.
    """
    return float(min(FIRST_RETRY_SECONDS * 2 ** min(failures - 1, 10), LAST_RETRY_SECONDS))


def slow_seconds(rule: Rule) -> float:
    """Return how long a check of the rule may take before it counts as slow."""
    interval = SLOW_SECONDS if rule.at else rule.every_seconds
    return min(SLOW_SECONDS, max(LEAST_SLOW_SECONDS, interval))


def stopped(rule: Rule, newest: datetime | None, now: datetime) -> str:
    """Say that a rule's data stopped, because its newest row or file is too old; "" if it isn't."""
    if not rule.stale_after_minutes or newest is None:
        return ""
    age = now - newest
    if age <= timedelta(minutes=rule.stale_after_minutes):
        return ""
    return f"Data stopped: the newest is from {_ago(age)} ago."


def most_people(rule: Rule, max_recipients: int) -> int:
    """Return how many people the rows of one check may name; more are held."""
    return max(rule.most_at_once, max_recipients)


def flood_words(rule: Rule, count: int, crowd: int, max_recipients: int) -> Words:
    """Say that a rule stopped itself: too many fired at once, or named a `crowd` of people."""
    what, most = f"{count:,} new", rule.most_at_once
    if crowd:
        what, most = f"{what} for {crowd:,} people", most_people(rule, max_recipients)
    return Words(
        "held",
        f"The rule {rule.name} stopped itself: {what} at once, more than {most:,}. Nobody else has "
        "been told. Decide under Rules whom to tell.",
    )


def _ago(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    for unit, size in (("day", 24 * 60), ("hour", 60)):
        if minutes >= 2 * size:
            return f"{minutes // size:,} {unit}s"
    return "1 minute" if minutes == 1 else f"{minutes} minutes"
