"""The soak, for some seconds: what it finds to be wrong, and that it runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.soak import Asked, Sample, Told, growth, missing_or_double, soak

ONE = Told("a1", "", "", "+14125560001", "Visitor 1, round 1.", "completed", 1, "CA1")
ASKED = Asked(alerts={"a1"})


@pytest.mark.slow
def test_a_few_seconds_of_it() -> None:
    came_to = soak(seconds=4, visitors=2)
    assert list(came_to.troubles) == []
    assert came_to.alerts >= 3
    assert came_to.samples
    assert came_to.sessions >= 2


def test_what_is_wrong_is_found() -> None:
    assert missing_or_double(ASKED, [ONE], ["CA1"]) == []
    twice = [ONE, replace(ONE, id="a2", sid="CA2")]
    by_rule = replace(ONE, id="a3", rule="r", words="Batch 2", sid="CA3")
    for asked, told, made, words in (
        (ASKED, [], [], "1 alerts that a page sent aren't in the history."),
        (ASKED, twice, ["CA1", "CA2"], "1 were told twice"),
        (ASKED, [replace(ONE, submissions=2)], ["CA1"], "1 were told twice"),
        (ASKED, [replace(ONE, status="failed")], ["CA1"], "1 alerts didn't end well"),
        (ASKED, [ONE], ["CA1", "CA2"], "1 calls were made that no alert knows of."),
        (ASKED, [ONE], [], "1 alerts have a call that was never made."),
        (replace(ASKED, broadcasts={"b1"}), [ONE], ["CA1"], "1 broadcasts don't have 3 alerts."),
        (replace(ASKED, batches=2), [ONE, by_rule], ["CA1", "CA3"], "The rule told of 1 of 2"),
    ):
        [found] = missing_or_double(asked, told, made)
        assert words in found


def test_growth_is_seen_after_the_beginning() -> None:
    def samples(last_mb: float, last_files: int) -> list[Sample]:
        beginning = [Sample(80, 10)] * 20
        return [*beginning, *[Sample(200, 60)] * 40, *[Sample(last_mb, last_files)] * 20]

    assert growth(samples(230, 80), 3600) == []
    assert growth(samples(240, 60), 3600) == ["Memory grew from 200 to 240 MB."]
    assert growth(samples(200, 81), 3600) == ["Open files grew from 60 to 81."]
    assert growth(samples(500, 500), 180) == []
