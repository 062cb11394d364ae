"""The command line: `python -m alerts call|text|status|cancel|worker|doctor …`.

Exit status: 0 accepted (with --wait: it reached the person), 1 failed, 2 unusable input.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from datetime import UTC, datetime

from alerts import AlertRequest, DatabaseError, Desk, UnusableInput
from alerts.arguments import parser, request_in
from alerts.doctor import examine
from alerts.login_name import login_name
from alerts.plan import tries_of
from alerts.printed import cannot_be_ended, is_well, show, tell
from alerts.worker import work
from settings import Settings, SettingsError

ACCEPTED, FAILED, UNUSABLE = 0, 1, 2
SIMULATION = "Simulation: no Twilio account is set, so nobody's phone rings."


def main(arguments: list[str] | None = None) -> int:
    """Run one command; gives the exit status."""
    chosen = parser().parse_args(arguments)
    try:
        return asyncio.run(_run(chosen, Settings()))
    except (SettingsError, UnusableInput, DatabaseError) as unusable:
        _complain(str(unusable), chosen)
        return UNUSABLE
    except KeyboardInterrupt:
        return FAILED


async def _run(chosen: argparse.Namespace, settings: Settings) -> int:
    match chosen.command:
        case "doctor":
            return await _doctor(settings, chosen.create_bucket)
        case "worker":
            await work(settings)
            return ACCEPTED
        case "status" | "cancel":
            return await _look(settings, chosen)
        case _:
            return await _send(settings, request_in(chosen), chosen.wait, chosen.json)


async def _send(settings: Settings, request: AlertRequest, wait: bool, as_json: bool) -> int:
    async with Desk.from_settings(settings) as desk:
        if settings.simulated and not as_json:
            print(SIMULATION)
        began = datetime.now(UTC)
        alert = await desk.send(request)
        if alert.events[0].at < began:
            print(f"Alert {alert.id} was sent before: nothing new is sent.", file=sys.stderr)
        told = 0
        if wait:
            async for newest in desk.watch(alert.id):
                alert, told = newest, tell(newest, told, as_json)
        tell(alert, told, as_json)
    show(alert, as_json)
    if wait:
        return ACCEPTED if alert.reached else FAILED
    if not (as_json or alert.status.final) and alert.try_number < len(tries_of(alert.request)):
        print("Further tries need the app, a worker, or --wait.")
    return ACCEPTED if is_well(alert) else FAILED


async def _look(settings: Settings, chosen: argparse.Namespace) -> int:
    """Where an alert stands, after canceling it if that is the command."""
    async with Desk.from_settings(settings, role="observer") as desk:
        if chosen.command == "cancel":
            alert = await desk.cancel(chosen.id, by=login_name())
        else:
            alert = await desk.status(chosen.id)
    if alert is None:
        raise UnusableInput("id", f"No alert has the id {chosen.id}.")
    if not chosen.json:
        sent = alert.events[0].at.astimezone()
        print(
            f"{alert.channel.capitalize()} to {alert.request.to}, {sent:%Y-%m-%d %H:%M %Z}: "
            f"{alert.message}"
        )
    tell(alert, 0, chosen.json)
    show(alert, chosen.json)
    if chosen.command == "cancel":
        return FAILED if cannot_be_ended(alert) else ACCEPTED
    return ACCEPTED if is_well(alert) else FAILED


async def _doctor(settings: Settings, create_bucket: bool) -> int:
    well = True
    async with Desk.from_settings(settings, role="observer") as desk:
        async for check in examine(settings, desk, create_bucket=create_bucket):
            well = well and check.passed
            print(
                f"{'ok  ' if check.passed else 'FAIL'}  {check.name:<9} {check.sentence}",
                flush=True,
            )
    return ACCEPTED if well else FAILED


def _complain(sentence: str, chosen: argparse.Namespace) -> None:
    if getattr(chosen, "json", False):
        error = {"code": None, "message": sentence, "hint": ""}
        keys = ("id", "channel", "to", "from", "status", "sid", "twiml_url")
        known = {
            "id": getattr(chosen, "id", None),
            "channel": chosen.command if chosen.command in {"call", "text"} else None,
            "to": getattr(chosen, "number", None),
            "status": "failed",
        }
        print(json.dumps({key: known.get(key) for key in keys} | {"error": error}))
    else:
        print(sentence, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
