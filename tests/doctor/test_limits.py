"""What the page says about countries and amounts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from access.users import UsersFile
from alerts.phone_numbers import Regions
from doctor.access import AccessChecks, LimitChecks, country_list
from tests.support.desks import simulated_desk
from tests.support.doctor_lines import lines_of, settings_with, verdicts

MANY = (
    "US", "CA", "GB", "AU", "DE", "FR", "IT", "ES", "PT", "NL", "BE",
    "AT", "CH", "SE", "NO", "DK", "FI", "PL", "CZ", "IE", "NZ",
)  # fmt: skip


@pytest.mark.parametrize(
    ("regions", "words"),
    [
        (("US",), "the United States"),
        (("DE", "NL"), "Germany and the Netherlands"),
        (("US", "GB", "AU"), "the United States, the United Kingdom and Australia"),
    ],
)
def test_countries_in_words(regions, words):
    assert country_list(regions) == words


async def test_limits(tmp_path):
    async with simulated_desk(
        tmp_path, alerts_per_number_per_hour=1, alerts_per_person_per_hour=100
    ) as desk:
        lines = await lines_of(LimitChecks(desk.services), "limits")
    assert [each.words for each in lines] == [
        "Calls go only to the United States.",
        "No more than 1 call or text reaches one number in an hour.",
        "No more than 50 people are called or texted at once.",
        "One person can send 100 calls and texts an hour at most.",
    ]


async def test_a_day_can_become_expensive(tmp_path):
    async with simulated_desk(tmp_path) as desk:
        live = replace(desk.services, simulator=None)
        *_, open_end = await lines_of(LimitChecks(live), "limits")
        *_, limited = await lines_of(LimitChecks(replace(live, daily_spend_limit=50)), "limits")
    assert (open_end.verdict, open_end.fixes[0].text) == ("to do", "DAILY_SPEND_LIMIT=50")
    assert limited.words == "No more than 50.00 is spent in a day."


async def test_many_countries(tmp_path):
    async with simulated_desk(tmp_path, regions=Regions("US", MANY)) as desk:
        first, *rest = await lines_of(LimitChecks(desk.services), "limits")
    assert (first.verdict, verdicts(rest)) == ("to do", ["fine", "fine"])
    assert "21 countries" in first.words


@pytest.mark.parametrize(
    ("limits", "words", "fixes"),
    [
        ({"alerts_per_person_per_hour": 50}, None, []),
        (
            {"alerts_per_person_per_hour": 20},
            "A person who sends to more than 20 people at once is refused.",
            ["ALERTS_PER_PERSON_PER_HOUR=50", "MAX_RECIPIENTS=20"],
        ),
        # A call in the US counts as 0.03, so 50 of them as 1.50.
        ({"daily_spend_limit": 1.5}, None, []),
        (
            {"daily_spend_limit": 1.2},
            "A day's money lasts for 40 of the calls to the United States while their price isn't "
            "known.",
            ["DAILY_SPEND_LIMIT=2"],
        ),
        (
            {"daily_spend_limit": 0.5, "regions": Regions("US", ("US", "DE"))},
            "A day's money doesn't last for any of the calls to Germany while their price isn't "
            "known.",
            ["DAILY_SPEND_LIMIT=50"],
        ),
        (
            {"regions": Regions("US", ("DE", "AT"))},
            "Numbers that are typed without a country's code are refused.",
            ["DEFAULT_REGION=DE"],
        ),
    ],
)
async def test_limits_that_refuse_what_others_allow(tmp_path, limits, words, fixes):
    async with simulated_desk(tmp_path, **limits) as desk:
        lines = await lines_of(LimitChecks(desk.services), "limits")
    told = [each for each in lines if each.verdict != "fine"]
    assert [each.words for each in told] == ([words] if words else [])
    assert [fix.text for each in told for fix in each.fixes] == fixes


@pytest.mark.slow
@pytest.mark.parametrize(
    ("senders", "expected"),
    [
        (None, ["fine"]),
        ("Ann, Ben", ["fine"]),
        ("Ann", ["fine", "fine"]),
        ("Nobody else", ["fine", "to do"]),
    ],
)
async def test_users_of_whom_none_or_one_may_send(tmp_path, senders, expected):
    users = tmp_path / "users.txt"
    users.touch(0o600)
    file = UsersFile(users)
    for name in ("Ann", "Ben"):
        file.add(name, "correct horse battery")
    named = {"USERS_FILE": str(users), "ADMINS": "Ann"} | ({"SENDERS": senders} if senders else {})
    lines = await lines_of(AccessChecks(settings_with(named)), "sign-in")
    assert verdicts(lines) == expected
