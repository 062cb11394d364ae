"""Who isn't told for a while."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts import UnusableInput
from rules.mutes import Mute, Mutes, Weekly, is_muted, read_weekly

FRIDAY = datetime(2026, 11, 20, 12, tzinfo=UTC)


def mute(**changes) -> Mute:
    values: dict[str, Any] = {
        "id": "1", "rule_id": "rule", "key_hash": "", "key_words": "", "recipient": "",
        "began_at": FRIDAY, "until": None, "weekly": "", "time_zone": "UTC", "muted_by": "Ines",
    }  # fmt: skip
    return Mute(**values | changes)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("sat sun", {5, 6}),
        ("Saturdays and Sundays", {5, 6}),
        ("mon-fri", {0, 1, 2, 3, 4}),
        ("fri – mon", {4, 5, 6, 0}),
        ("18:00-07:00", set(range(7))),
        ("mon, wed 18:00-07:00", {0, 2}),
    ],
)
def test_days_are_read_as_people_write_them(text, days):
    assert read_weekly(text.replace(" – ", "–")).days == days


@pytest.mark.parametrize("word", ["monthly 09:00-10:00", "sunny", "money-fri", "saturnday"])
async def test_a_new_mute_names_days_and_nothing_that_only_begins_like_one(database, word):
    mutes = Mutes(database, "AC1")
    with pytest.raises(UnusableInput, match="sat sun, or mon-fri 18:00-07:00"):
        await mutes.add("rule", weekly=word, time_zone="UTC")
    for good in ("tues, thurs and Sundays", "Mon\u2013Fri 18:00-07:00"):
        await mutes.add("rule", weekly=good, time_zone="UTC")
    # An earlier version saved such words, and checks of its rule must go on.
    assert mute(weekly="fridag").holds(FRIDAY)


@pytest.mark.parametrize("text", ["", "always", "mon-xyz", "25:00-26:00", "su", "mon 07:00"])
def test_other_words_are_refused_in_a_sentence(text):
    with pytest.raises(UnusableInput, match="sat sun, or mon-fri 18:00-07:00"):
        read_weekly(text)


def test_hours_over_midnight_belong_to_the_day_on_which_they_begin():
    nights = read_weekly("fri 22:00-06:00")
    assert not nights.covers(FRIDAY, "UTC")
    assert nights.covers(FRIDAY + timedelta(hours=10), "UTC")
    assert nights.covers(FRIDAY + timedelta(hours=17, minutes=59), "UTC")
    assert not nights.covers(FRIDAY + timedelta(hours=18), "UTC")
    assert not nights.covers(FRIDAY - timedelta(hours=7), "UTC")  # 05:00 on Friday


def test_hours_are_those_of_its_zone():
    office = Weekly(frozenset({4}), read_weekly("09:00-17:00").hours)
    assert office.covers(FRIDAY, "UTC")
    assert not office.covers(FRIDAY, "Asia/Tokyo")


def test_it_ends():
    ends = mute(until=FRIDAY)
    assert ends.holds(FRIDAY - timedelta(seconds=1))
    assert not ends.holds(FRIDAY)


def test_what_it_is_about():
    of_key, of_ben = mute(key_hash="a"), mute(recipient="+1")
    assert is_muted([mute()], FRIDAY, key_hash="a")
    assert is_muted([of_key], FRIDAY, key_hash="a", recipient="+2")
    assert not is_muted([of_key], FRIDAY, key_hash="b")
    assert is_muted([of_ben], FRIDAY, key_hash="b", recipient="+1")
    # Others are still told of it.
    assert not is_muted([of_ben], FRIDAY, key_hash="b")
    assert not is_muted([of_ben], FRIDAY, key_hash="b", recipient="+2")


async def test_mutes_are_kept_until_they_are_ended(database):
    ours, theirs = Mutes(database, "AC1"), Mutes(database, "AC2")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    first = await ours.add("rule", key_hash="a", key_words="1407", until=tomorrow, by="Ines")
    every = await ours.add("", recipient="+1", weekly="sat sun", time_zone="UTC")
    await ours.add("other")
    assert await ours.all("rule") == [first, every]
    assert await theirs.all() == []
    await ours.end(first.id)
    await ours.end(first.id)
    assert [each.id for each in await ours.all("rule")] == [every.id]


async def test_what_cant_be_is_refused(database):
    ours = Mutes(database, "AC1")
    with pytest.raises(UnusableInput, match="still to come"):
        await ours.add("rule", until=FRIDAY - timedelta(days=3650))
    with pytest.raises(UnusableInput, match="Write the days"):
        await ours.add("rule", weekly="whenever")
    with pytest.raises(UnusableInput):
        await ours.add("rule", weekly="sat", time_zone="Mars/Olympus")
    assert await ours.all() == []
