"""`python -m alerts stop` and `resume`: stop everything in an emergency, and lift the stop."""

from __future__ import annotations

import argparse
import json
from typing import Any

from alerts import Alert, Desk
from cli import ACCEPTED, FAILED
from cli.printing import cannot_be_ended
from settings import Settings


def add_to(commands: Any) -> None:
    """Add both commands to argparse's subparsers."""
    stop = commands.add_parser(
        "stop", help="stop everything: cancel all that waits, end live calls, send nothing more"
    )
    stop.add_argument("--reason", default="", help="what people read on every page")
    stop.add_argument("--json", action="store_true", help="print one JSON object")
    stop.set_defaults(run=run_stop)
    resume = commands.add_parser("resume", help="lift the stop; what was canceled stays so")
    resume.add_argument("--json", action="store_true", help="print one JSON object")
    resume.set_defaults(run=run_resume)


async def run_stop(settings: Settings, chosen: argparse.Namespace) -> int:
    """Stop everything and print what that ended; returns the exit status."""
    async with Desk.from_settings(settings, mode="observer") as desk:
        canceled = await desk.stop_everything(chosen.reason)
        stop = await desk.emergency_stop()
        zone = desk.services.time_zone
    still_live = [each for each in canceled if cannot_be_ended(each)]
    if chosen.json:
        said = {
            "stopped": stop is not None,
            "by": stop.by if stop else "",
            "reason": stop.reason if stop else "",
            "canceled": len(canceled),
            "not_ended": [each.id for each in still_live],
        }
        print(json.dumps(said))
    else:
        print(f"{stop.sentence(zone) if stop else 'It was lifted again.'} {_counted(canceled)}")
        for each in still_live:
            print(f"This call couldn't be ended, and goes on: {each.id}")
        print("Rules tell nobody. `python -m alerts resume` lifts it.")
    return FAILED if still_live else ACCEPTED


async def run_resume(settings: Settings, chosen: argparse.Namespace) -> int:
    """Lift the stop; returns the exit status."""
    async with Desk.from_settings(settings, mode="observer") as desk:
        was_stopped = await desk.emergency_stop() is not None
        await desk.lift_stop()
    if chosen.json:
        print(json.dumps({"stopped": False, "was_stopped": was_stopped}))
    elif was_stopped:
        print("Lifted: alerts can be sent again. What was canceled stays so.")
    else:
        print("Nothing was stopped.")
    return ACCEPTED


def _counted(canceled: list[Alert]) -> str:
    if len(canceled) == 1:
        return "1 alert was canceled."
    return f"{len(canceled):,} alerts were canceled." if canceled else "Nothing was under way."
