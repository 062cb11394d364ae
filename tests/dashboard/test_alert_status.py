"""Where an alert stands at a glance: the shape, the color and the words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Self

import pytest

from alerts import AlertRequest, Event, Status
from alerts.alert import Problem
from alerts.state import apply
from dashboard import alert_status
from dashboard.alert_status import Glance, clock, glance, glance_tag, mini_line
from tests.support.alerts_by_hand import CALL, TEXT, alert_after_events, steps

S = Status
ON_THE_WAY = (S.SENDING, S.PLACED, S.RINGING)
CONFIRMING = replace(CALL, acknowledge=True)
FOR_LONG = timedelta(seconds=50)
ZONE = "America/New_York"


def seen(request: AlertRequest, *happened: dict[str, Any]) -> Glance:
    return glance(alert_after_events(request, *happened), ZONE)


@pytest.mark.parametrize(
    ("request_", "happened", "shape", "tone", "words"),
    [
        (CALL, [], "halo", "ring", "Sending"),
        (CALL, steps(S.SENDING, S.PLACED), "halo", "ring", "Sending"),
        (CALL, steps(*ON_THE_WAY), "halo", "ring", "Ringing"),
        (CALL, steps(*ON_THE_WAY, S.ANSWERED), "halo", "ring", "On the line"),
        (CALL, steps(*ON_THE_WAY, S.ANSWERED, S.COMPLETED), "dot", "good", "Reached "),
        (
            CONFIRMING,
            steps(*ON_THE_WAY, S.ANSWERED, S.COMPLETED),
            "half",
            "wait",
            "Answered, not confirmed",
        ),
        (CONFIRMING, steps(*ON_THE_WAY, S.ACKNOWLEDGED), "check", "good", "Confirmed "),
        (TEXT, steps(S.SENDING, S.PLACED, S.DELIVERED), "dot", "good", "Delivered "),
        (CALL, [{"note": "Canceled by ann", "canceling": True}], "dash", "off", "Canceled"),
        (CALL, steps(S.SENDING, S.UNKNOWN), "question", "wait", "Not known whether it was sent"),
        (
            CALL,
            [*steps(*ON_THE_WAY, sid="CA1"), *steps(S.UNKNOWN)],
            "question",
            "wait",
            "Not known how it ended",
        ),
    ],
)
def test_each_stands_somewhere(
    request_: AlertRequest, happened: list[dict[str, Any]], shape: str, tone: str, words: str
):
    found = seen(request_, *happened)
    assert (found.shape, found.tone) == (shape, tone)
    assert found.words.startswith(words)
    assert str(glance_tag(found)).count("svg") == 2


@pytest.mark.parametrize(
    ("note", "words"), [("The line was busy", "Busy"), ("Nobody answered", "Nobody answered")]
)
def test_who_was_not_reached(note: str, words: str):
    end = {"note": note, "status": S.UNANSWERED}
    assert seen(CALL, *steps(*ON_THE_WAY), end) == Glance("cross", "bad", words)
    again = seen(replace(CALL, tries=2, minutes_between_tries=10**8), *steps(*ON_THE_WAY), end)
    assert (again.shape, again.tone) == ("clock", "wait")
    assert again.words.startswith(f"{words}, tries again ")


def test_who_hung_up_at_once():
    end = {"note": "Call ended", "status": S.COMPLETED, "duration": 1}
    long = replace(CALL, message="Fermentation tank four has been too warm since nine o'clock.")
    hung_up = alert_after_events(long, *steps(*ON_THE_WAY, S.ANSWERED), end)
    late = apply(hung_up, Event(hung_up.since, S.COMPLETED, "Call ended", "poll", duration=1))
    for alert in (hung_up, late):
        assert glance(alert, ZONE) == Glance("cross", "bad", "Hung up at once")
    again = seen(replace(long, tries=2, minutes_between_tries=10**8), *steps(*ON_THE_WAY), end)
    assert again.words.startswith("Hung up at once, tries again ")


def test_a_text_that_waits_for_its_reply():
    asking = replace(TEXT, acknowledge=True)
    arrived = [*steps(S.SENDING, S.PLACED, S.DELIVERED, sid="SM1", source="callback")]
    assert seen(asking, *arrived) == Glance("clock", "wait", "Delivered, waits for a reply")
    nobody = {"note": "Nobody replied", "status": S.DELIVERED}
    assert seen(asking, *arrived, nobody) == Glance("half", "wait", "Delivered, not confirmed")
    replied = {"note": "Replied “1”", "status": S.ACKNOWLEDGED, "source": "recipient"}
    assert seen(asking, *arrived, replied).words.startswith("Confirmed ")


def test_what_can_be_undone_says_until_when():
    held = replace(TEXT, hold_seconds=60)
    alert = alert_after_events(held)
    alert = replace(alert, since=datetime.now(UTC), not_before=datetime.now(UTC) + FOR_LONG)
    assert glance(alert, ZONE).words.startswith("Can be undone until ")


@pytest.mark.parametrize(
    ("code", "words"),
    [(21211, "Not a working number"), (21610, "Texted STOP"), (None, "Failed"), (99, "Failed")],
)
def test_why_it_failed(code: int | None, words: str):
    end = {"note": "Refused", "status": S.FAILED, "error": Problem(code, "No.", "Look.")}
    assert seen(CALL, *steps(S.SENDING), end) == Glance("cross", "bad", words)


def test_what_waits_says_until_when():
    morning = replace(CALL, quiet_hours="00:00-23:59")
    assert seen(morning).words.startswith("Waits until ")
    alert = replace(alert_after_events(CALL), not_before=datetime.now(UTC) + timedelta(minutes=20))
    held = glance(alert, ZONE)
    assert (held.shape, held.tone) == ("mark", "wait")
    assert held.words.startswith("Held until ")


def test_a_time_names_its_day_unless_that_is_today():
    now = datetime.now(UTC)
    assert clock(now, "UTC") == f"{now:%H:%M}"
    assert clock(now, "UTC", seconds=True) == f"{now:%H:%M:%S}"
    before = now - timedelta(days=2)
    assert clock(before, "UTC") == f"{before:%a %H:%M}"
    long_ago = datetime(2024, 11, 3, 9, 5, tzinfo=UTC)
    assert clock(long_ago, "UTC") == "3 Nov 2024 09:05"


def test_within_a_week_no_day_needs_its_year(monkeypatch: pytest.MonkeyPatch):
    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls(2026, 1, 2, 12, tzinfo=tz)

    monkeypatch.setattr(alert_status, "datetime", Clock)
    assert clock(datetime(2025, 12, 31, 10, 3, tzinfo=UTC), "UTC") == "Wed 10:03"
    assert clock(datetime(2025, 12, 25, 10, 3, tzinfo=UTC), "UTC") == "25 Dec 2025 10:03"
    assert clock(datetime(2026, 1, 20, 10, 3, tzinfo=UTC), "UTC") == "20 Jan 10:03"


def test_the_small_line_has_six_dots_at_most_and_keeps_the_present_one():
    request = replace(CALL, tries=6)
    missed = [
        {"note": "Nobody answered", "status": S.UNANSWERED, "try_number": number}
        for number in (1, 2, 3)
    ]
    ringing = [{**each, "try_number": 4} for each in steps(*ON_THE_WAY)]
    line = str(mini_line(alert_after_events(request, *missed, *ringing)))
    assert line.count("<i") == 6
    assert line.count("missed") == 3
    assert line.count("present") == 1
    assert "past" in line.split("<i")[1]
    assert 'aria-hidden="true"' in line
