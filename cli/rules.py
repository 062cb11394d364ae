"""`python -m alerts rules list|check|run|on|off|export|load`: alerting when the data says so."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alerts import UnusableInput
from alerts.time_zones import in_time_zone
from cli import ACCEPTED, FAILED
from cli.open_rules import checked, find_rule, opened_rules, read_file
from cli.switch_rules import run, switched_on, turn_off, turn_on
from settings import Settings

if TYPE_CHECKING:
    from rules.desk import RuleDesk
    from rules.overview import RuleOverview
    from rules.rule import Rule

STATES = {"draft": "draft", "on": "on", "paused": "off", "held": "held"}


def add_to(commands: Any) -> None:
    """Add the command and its own commands to argparse's subparsers."""
    rules = commands.add_parser("rules", help="alert people when rows of data are bad")
    actions = rules.add_subparsers(
        dest="action", required=True, metavar="list|check|run|on|off|export|load"
    )
    listing = actions.add_parser("list", help="list the rules, and what each finds")
    checking = actions.add_parser(
        "check", help="tell nobody; exit with 1 if a rule can't be checked"
    )
    checking.add_argument(
        "rules",
        nargs="*",
        metavar="RULE",
        help="names, or TOML files (default: all that are saved)",
    )
    running = actions.add_parser("run", help="check a rule now, and alert people if rows are bad")
    running.add_argument("rule", help="its name")
    running.add_argument(
        "--dry-run",
        action="store_true",
        help="tell nobody; print what is bad and who would be told",
    )
    on = actions.add_parser("on", help="switch a rule on; silent about what is bad already")
    on.add_argument("rule", help="its name")
    on.add_argument(
        "--tell", choices=["none", "all"], default="none",
        help="tell all of what is bad already (default: none)",
    )  # fmt: skip
    off = actions.add_parser("off", help="switch a rule off")
    off.add_argument("rule", help="its name")
    exporting = actions.add_parser("export", help="write all rules to TOML, to keep in git")
    exporting.add_argument(
        "file", type=Path, nargs="?", help="a new file (default: standard output)"
    )
    loading = actions.add_parser("load", help="save the rules of a TOML file, switched off if new")
    loading.add_argument("file", type=Path, help="as export writes it")
    loading.add_argument("--on", action="store_true", help="switch all of them on, silently")
    for command, action in (
        (listing, _list), (checking, _check), (running, run), (on, turn_on), (off, turn_off),
        (exporting, _export), (loading, _load),
    ):  # fmt: skip
        command.set_defaults(run=action)
        command.add_argument("--json", action="store_true", help="print JSON")


# --- list ---------------------------------------------------------------------------------------


async def _list(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print a line for each rule, or a JSON object."""
    async with opened_rules(settings) as rules:
        found = await rules.overview()
        zone = rules.desk.services.time_zone
    for each in found:
        print(json.dumps(_overview_json(each), ensure_ascii=False) if chosen.json
              else _line(each, zone))  # fmt: skip
    if not found and not chosen.json:
        print("There is no rule yet. Write one on the Rules page, or load a file of rules.")
    return ACCEPTED


def _line(each: RuleOverview, zone: str) -> str:
    last = f"{in_time_zone(each.last_check, zone):%Y-%m-%d %H:%M}" if each.last_check else ""
    health = ": ".join(part for part in (each.health.words, each.health.detail) if part)
    sources = ", ".join(name for name, _ in each.watches)
    state = STATES[each.rule.state]
    return (
        f"{each.rule.name:<32} {state:<6} {each.now.words:<16} {last:<17} {sources:<20} {health}"
    ).rstrip()


def _overview_json(each: RuleOverview) -> dict[str, object]:
    from rules.schedule import schedule_words  # noqa: PLC0415

    return {
        "id": each.rule.id,
        "name": each.rule.name,
        "state": STATES[each.rule.state],
        "revision": each.rule.revision,
        "check": schedule_words(each.rule.every_seconds, each.rule.at),
        "sources": [name for name, _ in each.watches],
        "bad": each.now.bad,
        "held": each.held,
        "last_check": _iso(each.last_check),
        "next_check": _iso(each.next_check),
        "health": each.health.kind,
        "message": each.health.detail or each.health.words,
    }


# --- check --------------------------------------------------------------------------------------


async def _check(settings: Settings, chosen: argparse.Namespace) -> int:
    """Say of each rule whether it can be checked; returns FAILED if any can't."""
    async with opened_rules(settings) as rules:
        wanted = await _wanted(rules, chosen.rules)
        outcomes = [await checked(rules, each) for each in wanted]
    for rule, found in zip(wanted, outcomes, strict=True):
        if chosen.json:
            said = {"name": rule.name, "ok": not found.problem, "bad": found.bad}
            message = found.problem or found.note
            print(json.dumps(said | {"message": message}, ensure_ascii=False))
        else:
            fine = f"fine, {found.bad or 0:,} bad now. {found.note}".rstrip()
            print(f"{rule.name}: {found.problem or fine}")
    if not wanted and not chosen.json:
        print("There is no rule to check.")
    return FAILED if any(each.problem for each in outcomes) else ACCEPTED


async def _wanted(rules: RuleDesk, named: Sequence[str]) -> list[Rule]:
    """Return the rules with these names, and those in these files; all rules if none are named."""
    if not named:
        return await rules.all()
    found: list[Rule] = []
    for each in named:
        found += read_file(Path(each)) if each.endswith(".toml") else [await find_rule(rules, each)]
    return found


# --- export and load ----------------------------------------------------------------------------


async def _export(settings: Settings, chosen: argparse.Namespace) -> int:
    """Write all rules to a file or to standard output."""
    if chosen.file is not None and chosen.file.exists():
        raise UnusableInput("file", f"{chosen.file} exists already. Name another file.")
    async with opened_rules(settings) as rules:
        found = await rules.all()
        text = await rules.export(found)
    if chosen.file is None:
        print(text, end="")
        return ACCEPTED
    try:
        chosen.file.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise UnusableInput(
            "file", f"{chosen.file} can't be written: {problem.strerror}."
        ) from None
    words = "1 rule is" if len(found) == 1 else f"{len(found):,} rules are"
    print(json.dumps({"rules": len(found)}) if chosen.json else f"{words} in {chosen.file}.")
    return ACCEPTED


async def _load(settings: Settings, chosen: argparse.Namespace) -> int:
    """Save the rules of a file: new ones as drafts, known ones as new revisions."""
    loaded = read_file(chosen.file)
    done: list[tuple[Rule, str]] = []
    said: list[str] = []
    async with opened_rules(settings, "app" if chosen.on else "observer") as rules:
        for each in loaded:
            done.append(await _saved(rules, each))
        for rule, _ in done if chosen.on else ():
            if not rule.is_checked:
                said.append((await switched_on(rules, rule, "none"))[0])
    if chosen.json:
        for rule, what in done:
            print(json.dumps({"name": rule.name, "id": rule.id, "revision": rule.revision,
                              "load": what}, ensure_ascii=False))  # fmt: skip
        return ACCEPTED
    counts = {what: sum(each == what for _, each in done) for what in ("new", "changed", "same")}
    print(f"{counts['new']:,} new, {counts['changed']:,} changed, {counts['same']:,} as they were.")
    print(*said, sep="\n" if said else "", end="\n" if said else "")
    return ACCEPTED


async def _saved(rules: RuleDesk, rule: Rule) -> tuple[Rule, str]:
    """Save a rule of a file; returns it, and whether it is new, changed or the same."""
    known = await rules.by_name(rule.name)
    if known is None:
        return await rules.save(rule), "new"
    saved = await rules.save(replace(rule, id=known.id, revision=known.revision))
    return saved, "same" if saved.revision == known.revision else "changed"


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")
