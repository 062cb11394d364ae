"""The command line: `python -m alerts call|text|status|cancel|worker|doctor …`.

Exit status: 0 accepted (with --wait: it reached the person), 1 failed, 2 unusable input.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys

from alerts import Alert, AlertRequest, DatabaseError, Desk, UnusableInput
from alerts.arguments import parser, request_in
from alerts.doctor import examine
from alerts.login_name import login_name
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
        alert = await desk.send(request)
        told = 0
        if wait:
            async for newest in desk.watch(alert.id):
                alert, told = newest, _tell(newest, told, as_json)
        _tell(alert, told, as_json)
    _print(alert, as_json)
    if wait:
        return ACCEPTED if alert.reached else FAILED
    return ACCEPTED if _is_well(alert) else FAILED


async def _look(settings: Settings, chosen: argparse.Namespace) -> int:
    """Where an alert stands, after canceling it if that is the command."""
    async with Desk.from_settings(settings, role="observer") as desk:
        if chosen.command == "cancel":
            alert = await desk.cancel(chosen.id, by=login_name())
        else:
            alert = await desk.status(chosen.id)
    if alert is None:
        raise UnusableInput("id", f"No alert has the id {chosen.id}.")
    _tell(alert, 0, chosen.json)
    _print(alert, chosen.json)
    return ACCEPTED if _is_well(alert) or chosen.command == "cancel" else FAILED


def _is_well(alert: Alert) -> bool:
    """Whether Twilio has it, or will."""
    return alert.status not in {"failed", "unknown"} and not _is_in_trouble(alert)


def _is_in_trouble(alert: Alert) -> bool:
    return alert.sid is None and not alert.status.final and alert.events[-1].error is not None


def _tell(alert: Alert, told: int, as_json: bool) -> int:
    """Print the steps that weren't told yet; gives how many are by now."""
    for event in alert.events[told:] if not as_json else ():
        since = (event.at - alert.events[0].at).total_seconds()
        word = event.status.value if event.status and event.news else ""
        print(f"{since:6.2f} s  {word:<12} {event.note}", flush=True)
    return len(alert.events)


def _print(alert: Alert, as_json: bool) -> None:
    if as_json:
        print(json.dumps(alert.as_json()))
        return
    print(f"Alert {alert.id} is {alert.status.value}.")
    error = alert.error
    if _is_in_trouble(alert):
        # Its hint would be to send it again, which would be a second alert.
        why = alert.events[-1].error
        print(why.message if why else "", file=sys.stderr)
        print("It is kept, and goes on as soon as the app or a worker runs.", file=sys.stderr)
    if error:
        print(error, file=sys.stderr)


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
