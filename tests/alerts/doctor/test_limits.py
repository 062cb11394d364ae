"""What the page says about countries and amounts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alerts.doctor.access import LimitChecks, country_list
from alerts.phone_numbers import Regions
from tests.support.desks import simulated_desk
from tests.support.examined import lines_of, verdicts

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
        "Nobody causes more than 100 calls and texts an hour.",
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
