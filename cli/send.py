"""`python -m alerts call|text NUMBER… MESSAGE …`: send one alert, or the same to several people."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from typing import Any

from access.actor import process_user
from alerts import Alert, AlertRequest, Desk
from alerts.alert import tries_of
from alerts.message.compose import notes
from cli import ACCEPTED, FAILED
from cli.many import add_safeguards, naming_yes, send_many
from cli.printing import is_well, print_new_events, print_outcome
from people.directory import Directory
from people.recipients import Recipient, check_recipients, read_recipients
from settings import Settings

DEFAULTS = AlertRequest("call", "", "")
SIMULATION = "Simulation: no Twilio account is set, so nobody's phone rings."


def add_to(commands: Any) -> None:
    """Add both commands and their options to argparse's subparsers."""
    call = commands.add_parser("call", help="call a number and speak a message")
    text = commands.add_parser("text", help="text a message to a number")
    for command in (call, text):
        command.set_defaults(run=run)
        command.add_argument(
            "number",
            nargs="+",
            help="a phone number, such as '(412) 857-4309', or a contact's or group's name",
        )
        add_message(command)
        add_safeguards(command)
    add_speech(call)
    _add_reply(text)
    for command in (call, text):
        add_retries(command)


async def run(settings: Settings, chosen: argparse.Namespace) -> int:
    """Send to the recipients and, with `--wait`, watch to the end; returns the exit status."""
    async with Desk.from_settings(settings) as desk:
        say_if_simulated(settings, chosen)
        request = request_in(chosen)
        requests = [each.addressed(request) for each in await _recipients(desk, chosen)]
        if len(requests) > 1 or await _is_of_broadcast(desk, chosen.id):
            return await send_many(desk, requests, chosen)
        alert = await _send_one(desk, requests[0], chosen)
    print_outcome(alert, chosen.json)
    if chosen.wait:
        return ACCEPTED if alert.reached else FAILED
    if not (chosen.json or alert.status.final) and alert.try_number < len(tries_of(alert.request)):
        print("Further tries need the app, a worker, or --wait.")
    return ACCEPTED if is_well(alert) else FAILED


def say_if_simulated(settings: Settings, chosen: argparse.Namespace) -> None:
    """Say that no account is set, beside what is printed as JSON."""
    if settings.simulated:
        print(SIMULATION, file=sys.stderr if chosen.json else sys.stdout)


async def _is_of_broadcast(desk: Desk, id: str | None) -> bool:
    """Whether a broadcast has this id: an alert with it would reach the same people again."""
    return id is not None and await desk.broadcast_of(id) is not None


async def _recipients(desk: Desk, chosen: argparse.Namespace) -> list[Recipient]:
    """Return the recipients that the numbers and names mean. Raises `UnusableInput`."""
    typed, regions = "\n".join(chosen.number), desk.services.regions
    directory = Directory(await desk.database())
    return check_recipients(await read_recipients(typed, chosen.command, regions, directory))


async def _send_one(desk: Desk, request: AlertRequest, chosen: argparse.Namespace) -> Alert:
    """Send one alert and print what happens to it, with `--wait` to its end."""
    began = datetime.now(UTC)
    with naming_yes():
        alert = await desk.send(request, confirmed=chosen.yes)
    if alert.events[0].at < began:
        print(f"Alert {alert.id} was sent before: nothing new is sent.", file=sys.stderr)
    for note in notes(request, desk.services.regions):
        print(note, file=sys.stderr)
    printed = 0
    if chosen.wait:
        async for newest in desk.watch(alert.id):
            alert, printed = newest, print_new_events(newest, printed, chosen.json)
    print_new_events(alert, printed, chosen.json)
    return alert


def request_in(chosen: argparse.Namespace) -> AlertRequest:
    """Build the request from a command's options, to the first of its numbers if it has any."""
    fields = ("channel", "to", "message", "user")
    options = {
        name: getattr(chosen, name)
        for name in AlertRequest.__dataclass_fields__
        if name not in fields and hasattr(chosen, name)
    }
    options["then_to"] = tuple(chosen.then_to)
    to = next(iter(getattr(chosen, "number", ())), "")
    is_text = chosen.command == "text" or getattr(chosen, "is_text", False)
    return AlertRequest(
        "text" if is_text else "call", to, chosen.message, user=process_user(), **options
    )


def add_message(command: argparse.ArgumentParser) -> None:
    """Add the message, and the options that every command that sends has."""
    command.add_argument("message", help="may hold {{ now }}, {{ today }}, {{ user }}, {{ name }}")
    command.add_argument(
        "--verbatim",
        dest="template",
        action="store_false",
        help="send the message as it stands, whatever braces it has",
    )
    command.add_argument(
        "--time-zone",
        default="",
        metavar="ZONE",
        help="for {{ now }}, such as America/New_York (default: TIME_ZONE, or the machine's)",
    )
    command.add_argument("--id", help="an id of your own: the same id sent twice is sent once")
    command.add_argument(
        "--wait", action="store_true", help="wait for the end, and print each step"
    )
    command.add_argument("--json", action="store_true", help="print a JSON object for each alert")


def add_speech(call: argparse.ArgumentParser) -> None:
    """Add the options that only calls have."""
    call.add_argument(
        "--voice",
        default=DEFAULTS.voice,
        help="such as Polly.Joanna-Neural or any other that Twilio has (default: %(default)s)",
    )
    call.add_argument("--language", default=DEFAULTS.language, help="default: %(default)s")
    call.add_argument(
        "--repeat",
        type=int,
        default=DEFAULTS.repeat,
        help="how many times to say it; 0: until they hang up (default: %(default)s)",
    )
    call.add_argument(
        "--acknowledge",
        action="store_true",
        help="ask them to press 1 (an account needs PUBLIC_URL)",
    )
    call.add_argument(
        "--voicemail", default="", metavar="MESSAGE", help="the message to leave on voicemail"
    )
    call.add_argument(
        "--then-text", action="store_true", help="send a text if no call reaches them"
    )


def _add_reply(text: argparse.ArgumentParser) -> None:
    text.add_argument(
        "--acknowledge", action="store_true", help="ask them to reply 1, and wait a day for that"
    )
    text.add_argument(
        "--language",
        default=DEFAULTS.language,
        help="of the sentence that asks for the reply (default: %(default)s)",
    )


def add_retries(command: argparse.ArgumentParser) -> None:
    """Add the options for what to do if no one is reached, and when not to try."""
    command.add_argument(
        "--tries",
        type=int,
        default=DEFAULTS.tries,
        help="how many tries at most (default: %(default)s)",
    )
    command.add_argument(
        "--minutes",
        dest="minutes_between_tries",
        type=float,
        default=DEFAULTS.minutes_between_tries,
        help="minutes between two tries (default: %(default)s)",
    )
    command.add_argument(
        "--then-to",
        action="append",
        default=[],
        metavar="NUMBER",
        help="the number to try next; can be repeated for further numbers",
    )
    command.add_argument(
        "--quiet-hours", default="", metavar="22:00-07:00", help="send nothing then, by their clock"
    )
    command.add_argument("--urgent", action="store_true", help="send it in quiet hours too")
