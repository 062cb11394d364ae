"""`python -m alerts doctor`: check that everything an alert needs is in place."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

from alerts import Desk
from cli import ACCEPTED, FAILED
from doctor import Check, Fix, Line, Verdict, examine
from doctor.check import Lines
from rules.opening import OpenRules
from settings import Settings

WORDS: dict[Verdict, str] = {"fine": "ok", "to do": "TODO", "broken": "FAIL", "unknown": "?"}
INDENT = " " * 8


def add_to(commands: Any) -> None:
    """Add the command to argparse's subparsers."""
    command = commands.add_parser("doctor", help="check settings, credentials and storage")
    command.add_argument(
        "--create-bucket", action="store_true", help="make S3_BUCKET, readable and expiring"
    )
    command.add_argument(
        "--set-webhook",
        action="store_true",
        help="have texts to TWILIO_FROM_NUMBER reported to this app",
    )
    command.add_argument("--json", action="store_true", help="print one object a line")
    command.set_defaults(run=run)


async def run(settings: Settings, chosen: argparse.Namespace) -> int:
    """Make all checks side by side, and print each in its order; returns the exit status."""
    # The other commands don't wait for what rules need.
    from doctor.all_checks import checks_of  # noqa: PLC0415

    async with Desk.from_settings(settings, mode="observer") as desk:
        rules = OpenRules(settings, desk)
        checks = checks_of(
            settings,
            desk,
            rules,
            create_bucket=chosen.create_bucket,
            set_webhook=chosen.set_webhook,
        )
        try:
            return await _print_all(checks, as_json=chosen.json)
        finally:
            await rules.close()


async def _print_all(checks: Sequence[Check], *, as_json: bool) -> int:
    waiting, known = list(checks), dict[str, Lines]()
    status, group = ACCEPTED, ""
    async with aclosing(examine(checks)) as results:
        async for check, lines in results:
            known[check.name] = lines
            while waiting and waiting[0].name in known:
                present = waiting.pop(0)
                for line in known[present.name]:
                    if present.group != group and not as_json:
                        print(f"{chr(10) if group else ''}{present.group}")
                    group = present.group
                    print(_as_json(present, line) if as_json else _as_text(line), flush=True)
                    status = FAILED if line.verdict == "broken" else status
    return status


def _as_text(line: Line) -> str:
    said = [f"  {WORDS[line.verdict]:<4}  {line.words}"]
    if line.seen:
        said.append(f"{INDENT}{line.seen}")
    for fix in line.fixes:
        said += [f"{INDENT}{fix.title}:"] if fix.title else []
        said += [f"{INDENT}    {each}" for each in fix.text.splitlines()]
    return "\n".join(said)


def _as_json(check: Check, line: Line) -> str:
    found = {
        "check": check.name,
        "group": check.group,
        "verdict": line.verdict,
        "words": line.words,
        "seen": line.seen,
        "fixes": [_fix(each) for each in line.fixes],
    }
    return json.dumps(found, ensure_ascii=False)


def _fix(fix: Fix) -> dict[str, str]:
    return {"title": fix.title, "text": fix.text}
