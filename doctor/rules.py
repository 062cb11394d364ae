"""The doctor's checks of rules: can each be checked, and what keeps its query to its sources?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from shlex import quote
from typing import TYPE_CHECKING

from database import DatabaseError
from doctor import Check, Fix, Group, Line
from doctor.check import Lines
from settings import SettingsError

if TYPE_CHECKING:
    from rules.desk import RuleDesk
    from rules.overview import RuleOverview
    from rules.rule import Rule

MOST_NAMED = 5
SEE_LANDLOCK = Fix("cat /sys/kernel/security/lsm", "Whether this Linux has it switched on")


class RuleChecks:
    """The checks of rules. `open_rules` returns the RuleDesk, or raises `SettingsError`.

    `most_an_hour` is how many calls and texts each rule may cause in an hour, None for any number.
    """

    def __init__(
        self, open_rules: Callable[[], Awaitable[RuleDesk]], most_an_hour: int | None = None
    ) -> None:
        self._open_rules = open_rules
        self._most_an_hour = most_an_hour

    def checks(self) -> list[Check]:
        """Return the checks, in order."""
        return [
            Check("rules", Group.PEOPLE_AND_RULES, "Rules", self.rules),
            Check("sandbox", Group.PEOPLE_AND_RULES, "What rules may read", self.sandbox),
        ]

    async def rules(self) -> Lines:
        """Say which rules can't be checked, wait for a person, are slow, or alert too many."""
        try:
            found = await (await self._open_rules()).overview()
        except SettingsError as problem:
            words = "No rule is checked, so nobody hears what is bad."
            return [Line("broken", words, str(problem))]
        except DatabaseError:
            return []  # said by the check of the database
        on = [each for each in found if each.rule.is_checked]
        wrong = [line for each in on for line in (*_lines(each), *self._of_hour(each.rule))]
        if wrong:
            wrong.sort(key=lambda each: each.verdict != "broken")
            named, rest = wrong[:MOST_NAMED], wrong[MOST_NAMED:]
            if rest:
                what = "problem" if len(rest) == 1 else "problems"
                named.append(Line(rest[0].verdict, f"{len(rest)} more {what} with rules."))
            return named
        if not on:
            return [Line("fine", "No rule is on.")] if found else []
        return [
            Line("fine", f"{len(on)} rules are checked." if len(on) > 1 else "1 rule is checked.")
        ]

    def _of_hour(self, rule: Rule) -> Sequence[Line]:
        """Say if the hourly limit refuses what the rule may send at once: then no one is told."""
        most = self._most_an_hour
        if most is None or rule.most_at_once <= most:
            return []
        words = f"The rule {rule.name} tells nobody if more than {most:,} are to be told at once."
        seen = (
            f"It lets {rule.most_at_once:,} alert at once, but ALERTS_PER_PERSON_PER_HOUR lets a "
            f"rule cause only {most:,} calls and texts an hour, and refuses more. "
            f"Let the rule hold more than {most:,} for you, or raise the setting."
        )
        return [Line("to do", words, seen)]

    async def sandbox(self) -> Lines:
        """Say how the system protects queries, in addition to DuckDB's own settings."""
        try:
            protections = (await self._open_rules()).protections()
        except SettingsError:
            return []  # said by the check of the rules
        if protections.landlock:
            return [Line("fine", str(protections))]
        words = "People who may write rules could read other files if a lock of DuckDB's failed."
        return [Line("to do", words, str(protections), (SEE_LANDLOCK,))]


def _lines(overview: RuleOverview) -> Sequence[Line]:
    name, health = overview.rule.name, overview.health
    detail = f"{health.words}. {health.detail}".strip()
    check = Fix(f".venv/bin/python -m alerts rules check {quote(name)}", "To see it at the shell")
    match health.kind:
        case "failed" | "stale":
            words = f"Nobody hears what is bad according to the rule {name}."
            return [Line("broken", words, detail, (check,))]
        case "held":
            words = f"Nobody is told what the rule {name} found: it waits for a person's answer."
            return [Line("to do", words, f"{detail} Answer it on the Rules page.")]
        case "flapping":
            words = f"Nobody else is told what comes and goes too often in the rule {name}."
            if not overview.owner.recipients:
                words = f"Nobody is told what comes and goes too often in the rule {name}."
            more = (
                "A longer wait before it fires or is over would help, and an owner who can be told."
            )
            return [Line("to do", words, f"{detail}. {more}")]
        case "slow":
            words = f"The rule {name} is slow, so its alerts may come late."
            return [Line("to do", words, f"{detail}. Check it less often, or let it read less.")]
        case "unheard":
            nobody = "Not everybody" if overview.owner.recipients else "Nobody"
            words = f"{nobody} hears if the rule {name} can't be checked."
            return [Line("to do", words, detail)]
        case _:
            return []
