"""The doctor's checks of rules: each that can't be checked, waits or is slow, and the sandbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from doctor import Line
from doctor.rules import RuleChecks
from rules.overview import HealthKind, NowWords, RuleHealth, RuleOverview
from rules.rule import Rule
from rules.sandbox.sandbox import Protections
from settings import SettingsError
from tests.support.doctor_lines import lines_of, verdicts


@dataclass
class Rules:
    """What the checks ask of a RuleDesk."""

    found: Sequence[RuleOverview] = ()
    landlock: int = 6

    async def overview(self) -> Sequence[RuleOverview]:
        return self.found

    @property
    def sandbox(self) -> Rules:
        return self

    def protections(self) -> Protections:
        return Protections(self.landlock, self.landlock >= 4, True)


def overview(kind: HealthKind, name: str = "Diacetyl") -> RuleOverview:
    rule = replace(Rule(name=name), state="draft" if kind == "draft" else "on")
    health = RuleHealth(kind, "Can't check", "The file tastings.csv isn't there")
    return RuleOverview(rule, NowWords(None, ""), 0, None, (), None, None, (), health)


async def asked(name: str, rules: Rules) -> list[Line]:
    async def opened() -> Rules:
        return rules

    return await lines_of(RuleChecks(opened), name)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kinds", "expected", "words"),
    [
        ([], [], ""),
        (["draft"], ["fine"], "No rule is on."),
        (["fine"], ["fine"], "1 rule is checked."),
        (["fine", "waiting"], ["fine"], "2 rules are checked."),
        (
            ["fine", "failed"],
            ["broken"],
            "Nobody hears what is bad according to the rule Diacetyl.",
        ),
        (["stale"], ["broken"], "Nobody hears what is bad according to the rule Diacetyl."),
        (["held"], ["to do"], "it waits for a person's answer"),
        (["flapping"], ["to do"], "Nobody is told what comes and goes too often in the rule"),
        (["unheard"], ["to do"], "Nobody hears if the rule Diacetyl can't be checked."),
        (["slow"], ["to do"], "is slow, so its alerts may come late"),
        (["failed"] * 7, ["broken"] * 6, "2 more problems with rules."),
        (["slow"] * 6, ["to do"] * 6, "1 more problem with rules."),
        # What is broken comes first, or the doctor would end as if nothing was.
        ([*["slow"] * 5, "failed"], ["broken", *["to do"] * 5], "1 more problem with rules."),
    ],
)
async def test_how_rules_are(kinds, expected, words):
    lines = await asked("rules", Rules([overview(kind) for kind in kinds]))
    assert verdicts(lines) == expected
    assert words in " ".join(each.words for each in lines)


async def test_a_rule_that_fails_says_why_and_how_to_see_it():
    [line] = await asked("rules", Rules([overview("failed", "Malt & hops")]))
    assert "tastings.csv isn't there" in line.seen
    assert line.fixes[0].text == ".venv/bin/python -m alerts rules check 'Malt & hops'"


@pytest.mark.parametrize(("most_at_once", "expected"), [(100, ["fine"]), (101, ["to do"])])
async def test_a_rule_that_lets_more_alert_than_an_hour_allows(most_at_once, expected):
    one = overview("fine")
    rules = Rules([replace(one, rule=replace(one.rule, most_at_once=most_at_once))])

    async def opened() -> Rules:
        return rules

    lines = await lines_of(RuleChecks(opened, 100), "rules")  # type: ignore[arg-type]
    assert verdicts(lines) == expected
    assert ("if more than 100 are to be told" in lines[0].words) == (most_at_once > 100)


async def test_sources_that_cannot_be_read():
    async def broken() -> Rules:
        raise SettingsError("sources.toml can't be read: line 3.")

    checks = RuleChecks(broken)  # type: ignore[arg-type]
    [line] = await lines_of(checks, "rules")
    assert (line.verdict, line.seen) == ("broken", "sources.toml can't be read: line 3.")
    assert await lines_of(checks, "sandbox") == []


@pytest.mark.parametrize(
    ("landlock", "verdict", "words"),
    [(0, "to do", "DuckDB's own locks"), (3, "fine", "Linux 6.7"), (6, "fine", "Landlock keeps")],
)
async def test_the_sandbox(landlock, verdict, words):
    [line] = await asked("sandbox", Rules(landlock=landlock))
    assert line.verdict == verdict
    assert words in line.words + line.seen
