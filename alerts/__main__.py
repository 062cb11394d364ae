"""The command line: `python -m alerts call|text|doctor …`.

Exit status: 0 accepted (with --wait: answered to its end, or delivered), 1 failed, 2 unusable
input.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys

from alerts import Alert, AlertRequest, Desk, UnusableInput
from alerts.delivery import login_name
from alerts.doctor import examine
from settings import Settings, SettingsError

ACCEPTED, FAILED, UNUSABLE = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Run one command; gives the exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        settings = Settings()
        if chosen.command == "doctor":
            return asyncio.run(_doctor(settings, chosen.create_bucket))
        return asyncio.run(_send(settings, _request(chosen), chosen.wait, chosen.json))
    except (SettingsError, UnusableInput) as unusable:
        _complain(str(unusable), chosen)
        return UNUSABLE
    except KeyboardInterrupt:
        return FAILED


async def _send(settings: Settings, request: AlertRequest, wait: bool, as_json: bool) -> int:
    async with Desk.from_settings(settings) as desk:
        if settings.simulated and not as_json:
            print("Simulation: no Twilio account is set, so nobody's phone rings.")
        alert = await desk.send(request)
        told = 0
        if wait:
            async for newest in desk.watch(alert.id):
                alert, told = newest, _tell(newest, told, as_json)
        _tell(alert, told, as_json)
    if as_json:
        print(json.dumps(alert.as_json()))
    elif alert.error:
        print(alert.error, file=sys.stderr)
    return _exit_status(alert, wait)


def _tell(alert: Alert, told: int, as_json: bool) -> int:
    """Print the steps that weren't told yet; gives how many are by now."""
    for event in alert.events[told:] if not as_json else ():
        since = (event.at - alert.events[0].at).total_seconds()
        print(f"{since:6.2f} s  {event.status.value:<12} {event.note}", flush=True)
    return len(alert.events)


def _exit_status(alert: Alert, waited: bool) -> int:
    if waited:
        return ACCEPTED if alert.status.reached else FAILED
    return FAILED if alert.error else ACCEPTED


async def _doctor(settings: Settings, create_bucket: bool) -> int:
    well = True
    async with Desk.from_settings(settings) as desk:
        async for check in examine(settings, desk.means, create_bucket=create_bucket):
            well = well and check.passed
            print(
                f"{'ok  ' if check.passed else 'FAIL'}  {check.name:<9} {check.sentence}",
                flush=True,
            )
    return ACCEPTED if well else FAILED


def _request(chosen: argparse.Namespace) -> AlertRequest:
    if chosen.command == "text":
        return AlertRequest("text", chosen.number, chosen.message, user=login_name())
    return AlertRequest(
        "call",
        chosen.number,
        chosen.message,
        voice=chosen.voice,
        language=chosen.language,
        repeat=chosen.repeat,
        user=login_name(),
    )


def _complain(sentence: str, chosen: argparse.Namespace) -> None:
    if getattr(chosen, "json", False):
        error = {"code": None, "message": sentence, "hint": ""}
        keys = ("id", "channel", "to", "from", "status", "sid", "twiml_url")
        known = {"channel": chosen.command, "to": chosen.number, "status": "failed"}
        print(json.dumps({key: known.get(key) for key in keys} | {"error": error}))
    else:
        print(sentence, file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m alerts", description="Phone and text people through Twilio."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    call = commands.add_parser("call", help="phone somebody and speak a message")
    text = commands.add_parser("text", help="text somebody")
    for command in (call, text):
        command.add_argument("number", help="the way you would write it: '(412) 857-4309'")
        command.add_argument("message", help="may hold {{ now }}, {{ today }} and {{ user }}")
        command.add_argument("--wait", action="store_true", help="follow it to its end")
        command.add_argument("--json", action="store_true", help="print one JSON object")
    call.add_argument("--voice", default="alice", help="default: %(default)s")
    call.add_argument("--language", default="en-GB", help="default: %(default)s")
    call.add_argument(
        "--repeat", type=int, default=3, help="times to say it; 0: until they hang up (default: 3)"
    )
    doctor = commands.add_parser("doctor", help="check settings, credentials and storage")
    doctor.add_argument(
        "--create-bucket", action="store_true", help="make S3_BUCKET, readable and expiring"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
