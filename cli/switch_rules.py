"""`python -m alerts rules run|on|off`: checking a rule now, and switching it on and off."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from alerts import UnusableInput
from alerts.phone_numbers import international
from cli import ACCEPTED, FAILED
from cli.open_rules import checked, find_rule, opened_rules, until_accepted
from cli.send import say_if_simulated
from people.names import number_of_people
from settings import Settings

if TYPE_CHECKING:
    from rules.check import CheckReport
    from rules.desk import RuleDesk
    from rules.preview import Preview, PreviewRow
    from rules.rule import Rule

MOST_ROWS = 20


async def run(settings: Settings, chosen: argparse.Namespace) -> int:
    """Check a rule now; returns FAILED if it can't be checked."""
    async with opened_rules(settings, "observer" if chosen.dry_run else "app") as rules:
        rule = await find_rule(rules, chosen.rule)
        if chosen.dry_run:
            return await _dry_run(rules, rule, as_json=chosen.json)
        say_if_simulated(settings, chosen)
        report = await rules.check_now(rule.id)
        await until_accepted(rules.desk, [each.request.id or "" for each in report.notices])
    _print_report(report, as_json=chosen.json)
    return FAILED if report.result in ("failed", "superseded") else ACCEPTED


async def _dry_run(rules: RuleDesk, rule: Rule, *, as_json: bool) -> int:
    """Print what is bad, and who would be told what."""
    problem = (await checked(rules, rule)).problem
    if problem:
        _print_failure(rule, problem, as_json=as_json)
        return FAILED
    preview = await rules.preview(rule)
    if as_json:
        rows = [_row_json(each) for each in preview.rows]
        print(json.dumps({"name": rule.name, "bad": preview.total, "rows": rows},
                         ensure_ascii=False))  # fmt: skip
        return ACCEPTED
    for each in preview.rows[:MOST_ROWS]:
        print(_row_line(each))
    if preview.total > MOST_ROWS:
        print(f"… and {preview.total - MOST_ROWS:,} more.")
    print(await _would_be(rules, rule, preview))
    return ACCEPTED


async def _would_be(rules: RuleDesk, rule: Rule, preview: Preview) -> str:
    if rule.is_checked:
        return f"{(await rules.check_now(rule.id, dry_run=True)).sentence} Nothing was sent."
    bad = "1 row is" if preview.total == 1 else f"{preview.total:,} rows are"
    return f"{bad} bad. The rule is off; nothing was sent."


def _row_line(row: PreviewRow) -> str:
    title = " ".join(row.title)
    if not row.recipients:
        return f"{title}: nobody can be told. {row.problem}"
    whom = ", ".join(f"{each.name} {international(each.to)}".strip() for each in row.recipients)
    return f"{title}: {whom}: {row.words} {row.problem}".rstrip()


def _row_json(row: PreviewRow) -> dict[str, object]:
    return {
        "key": row.key,
        "row": dict(row.cells),
        "to": [each.to for each in row.recipients],
        "words": row.words,
        "problem": row.problem,
    }


def _print_report(report: CheckReport, *, as_json: bool) -> None:
    if report.result == "failed":
        _print_failure(report.rule, report.failure, as_json=as_json)
    elif as_json:
        said = {
            "name": report.rule.name,
            "result": report.result,
            "bad": report.bad,
            "new": list(report.new),
            "fired": list(report.fired),
            "held": list(report.held),
            "over": report.over,
            "alerts": [each.request.id for each in report.notices],
            "seconds": round(report.seconds, 3),
        }
        print(json.dumps(said, ensure_ascii=False))
    else:
        print(report.sentence)


def _print_failure(rule: Rule, problem: str, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"name": rule.name, "result": "failed", "message": problem}))
    else:
        print(f"{rule.name} can't be checked. {problem}", file=sys.stderr)


async def turn_on(settings: Settings, chosen: argparse.Namespace) -> int:
    """Switch a rule on. Raises `UnusableInput` if it can't be checked as it is."""
    async with opened_rules(settings, "app") as rules:
        say_if_simulated(settings, chosen)
        rule = await find_rule(rules, chosen.rule)
        if rule.is_checked:
            raise UnusableInput("rule", f"{rule.name} is on already.")
        said, told = await switched_on(rules, rule, chosen.tell)
        await until_accepted(rules.desk, told)
    print(json.dumps({"name": rule.name, "state": "on", "message": said}, ensure_ascii=False)
          if chosen.json else said)  # fmt: skip
    return ACCEPTED


async def switched_on(rules: RuleDesk, rule: Rule, tell: Any) -> tuple[str, list[str]]:
    """Switch a rule on as it is; returns what to say, and the ids of the alerts that were sent."""
    problem = (await checked(rules, rule)).problem
    if problem:
        raise UnusableInput("rule", f"{rule.name} stays off. {problem}")
    preview = await rules.preview(rule)
    report = await rules.turn_on(rule.id, preview.fingerprint, tell)
    bad = report.bad or 0
    already = "1 row is" if bad == 1 else f"{bad:,} rows are"
    told = [each.request.id or "" for each in report.notices]
    if not bad:
        rest = "Nothing is bad yet."
    elif tell == "all":
        count = len({each.request.to for each in report.notices})
        rest = f"{already} bad already; {number_of_people(count)} will hear of it."
    else:
        rest = f"{already} bad already; nobody is told of that."
    return f"{rule.name} is on. {rest}", told


async def turn_off(settings: Settings, chosen: argparse.Namespace) -> int:
    """Switch a rule off."""
    async with opened_rules(settings) as rules:
        rule = await find_rule(rules, chosen.rule)
        await rules.turn_off(rule.id)
    said = f"{rule.name} is off: nothing is checked."
    print(json.dumps({"name": rule.name, "state": "off"}) if chosen.json else said)
    return ACCEPTED
