"""What calls and texts cost by list price."""

from __future__ import annotations

import pytest

from alerts.cost import estimate

US, CANADA, JAMAICA = "+14125550199", "+16045550199", "+18765550199"


@pytest.mark.parametrize(
    ("channel", "to", "amounts", "cost"),
    [
        ("call", US, {"seconds": 0}, 0),
        ("call", US, {"seconds": 1}, 0.014),
        ("call", US, {"seconds": 60}, 0.014),
        ("call", CANADA, {"seconds": 61}, 0.028),
        ("text", US, {}, 0.0083),
        ("text", CANADA, {"segments": 3}, 0.0249),
        ("text", JAMAICA, {}, None),
        ("call", "+493012345678", {"seconds": 9}, None),
        ("text", "nobody", {}, None),
    ],
)
def test_by_the_minute_and_by_the_segment(channel, to, amounts, cost):
    assert estimate(channel, to, **amounts) == (cost if cost is None else pytest.approx(cost))
