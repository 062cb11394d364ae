"""The arguments of `python -m alerts`, and the alert that they ask for."""

from __future__ import annotations

import argparse

from alerts.alert import AlertRequest
from alerts.login_name import login_name

DEFAULTS = AlertRequest("call", "", "")


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    program = argparse.ArgumentParser(
        prog="python -m alerts", description="Phone and text people through Twilio."
    )
    commands = program.add_subparsers(dest="command", required=True, metavar="COMMAND")
    call = commands.add_parser("call", help="phone somebody and speak a message")
    text = commands.add_parser("text", help="text somebody")
    for command in (call, text):
        _add_message(command)
    _add_speech(call)
    for command in (call, text):
        _add_perseverance(command)
    status = commands.add_parser("status", help="tell where an alert stands")
    cancel = commands.add_parser("cancel", help="stop an alert, and end its call")
    for command in (status, cancel):
        command.add_argument("id", help="the alert's id, as `call` and `text` print it")
        command.add_argument("--json", action="store_true", help="print one JSON object")
    commands.add_parser("worker", help="deliver alerts until stopped, with no page open")
    doctor = commands.add_parser("doctor", help="check settings, credentials and storage")
    doctor.add_argument(
        "--create-bucket", action="store_true", help="make S3_BUCKET, readable and expiring"
    )
    return program


def request_in(chosen: argparse.Namespace) -> AlertRequest:
    """What `call` and `text` ask for."""
    fields = ("channel", "to", "message", "user")
    options = {
        name: getattr(chosen, name)
        for name in AlertRequest.__dataclass_fields__
        if name not in fields and hasattr(chosen, name)
    }
    options["then_to"] = tuple(chosen.then_to)
    return AlertRequest(chosen.command, chosen.number, chosen.message, user=login_name(), **options)


def _add_message(command: argparse.ArgumentParser) -> None:
    command.add_argument("number", help="the way you would write it: '(412) 857-4309'")
    command.add_argument("message", help="may hold {{ now }}, {{ today }} and {{ user }}")
    command.add_argument("--id", help="a key of your own: the same key twice is one alert")
    command.add_argument("--wait", action="store_true", help="follow it to its end")
    command.add_argument("--json", action="store_true", help="print one JSON object")


def _add_speech(call: argparse.ArgumentParser) -> None:
    call.add_argument("--voice", default=DEFAULTS.voice, help="default: %(default)s")
    call.add_argument("--language", default=DEFAULTS.language, help="default: %(default)s")
    call.add_argument(
        "--repeat",
        type=int,
        default=DEFAULTS.repeat,
        help="times to say it; 0: until they hang up (default: %(default)s)",
    )
    call.add_argument(
        "--acknowledge", action="store_true", help="ask them to press 1 (needs PUBLIC_URL)"
    )
    call.add_argument(
        "--voicemail", default="", metavar="MESSAGE", help="say this to an answering machine"
    )
    call.add_argument("--then-text", action="store_true", help="text it if no call reaches them")


def _add_perseverance(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--tries", type=int, default=DEFAULTS.tries, help="up to so many (default: %(default)s)"
    )
    command.add_argument(
        "--minutes",
        dest="minutes_between_tries",
        type=float,
        default=DEFAULTS.minutes_between_tries,
        help="between two tries (default: %(default)s)",
    )
    command.add_argument(
        "--then-to",
        action="append",
        default=[],
        metavar="NUMBER",
        help="whom to try next, if it reaches nobody; may be given again",
    )
    command.add_argument(
        "--quiet-hours", default="", metavar="22:00-07:00", help="not then, where they are"
    )
    command.add_argument("--urgent", action="store_true", help="in quiet hours too")
