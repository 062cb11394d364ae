"""`python -m alerts COMMAND …`: read the command line, run the command, return its exit status.

0: accepted by Twilio (with --wait: it reached the recipient). 1: failed. 2: unusable input.
130: interrupted by Ctrl+C.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence

from access.actor import NotAllowed
from alerts import DatabaseError, UnusableInput
from cli import (
    ACCEPTED,
    FAILED,
    INTERRUPTED,
    UNUSABLE,
    audit,
    broadcast,
    cancel,
    doctor,
    people,
    rules,
    send,
    status,
    stop,
    users,
    worker,
)
from cli import list as list_command
from cli.file_owner import refuse_to_leave_files_of_root
from cli.output import adapt_to_console, problem_of_output
from settings import Settings, SettingsError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, by default the one in sys.argv, and return the exit status."""
    if arguments is not None:
        return _run(parser().parse_args(arguments))
    adapt_to_console()
    exit_status = _run(parser().parse_args())
    if problem := problem_of_output():
        done = " The command was carried out all the same." if exit_status == ACCEPTED else ""
        print(f"The output couldn't be written: {problem}.{done}", file=sys.stderr)
        return exit_status or FAILED
    return exit_status


def _run(chosen: argparse.Namespace) -> int:
    try:
        _refuse_what_is_no_text(chosen)
        settings = Settings()
        refuse_to_leave_files_of_root(settings)
        exit_status: int = asyncio.run(chosen.run(settings, chosen))
        return exit_status
    except (SettingsError, UnusableInput, NotAllowed, DatabaseError) as unusable:
        _complain(str(unusable), chosen)
        return UNUSABLE
    except KeyboardInterrupt:
        sends = chosen.command in {"call", "text", "broadcast"}
        goes_on = " What is saved goes on as soon as the app or a worker runs." if sends else ""
        print(f"Interrupted.{goes_on}", file=sys.stderr)
        return INTERRUPTED


def parser() -> argparse.ArgumentParser:
    """Build the parser of all commands; it sets `run` to the chosen command's function."""
    program = argparse.ArgumentParser(
        prog="python -m alerts", description="Phone and text people through Twilio."
    )
    commands = program.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (
        send, broadcast, list_command, status, cancel, stop, people, rules, audit, worker, doctor,
        users,
    ):  # fmt: skip
        command.add_to(commands)
    return program


def _refuse_what_is_no_text(chosen: argparse.Namespace) -> None:
    """Raise `UnusableInput` for an argument that neither a database nor Twilio takes.

    What isn't UTF-8 arrives as lone surrogates. File names may have them, as they are `Path`s.
    https://docs.python.org/3/library/os.html#file-names-command-line-arguments-and-environment-variables
    """
    for given in vars(chosen).values():
        for each in given if isinstance(given, list) else [given]:
            if isinstance(each, str) and any("\ud800" <= letter <= "\udfff" for letter in each):
                raise UnusableInput("argument", "An argument isn't UTF-8 text: type it again.")


def _complain(sentence: str, chosen: argparse.Namespace) -> None:
    if getattr(chosen, "json", False):
        error = {"code": None, "message": sentence, "hint": ""}
        keys = ("id", "channel", "to", "from", "status", "sid", "twiml_url")
        known = {
            "id": getattr(chosen, "id", None),
            "channel": chosen.command if chosen.command in {"call", "text"} else None,
            "to": ", ".join(getattr(chosen, "number", ())) or None,
            "status": "failed",
        }
        print(json.dumps({key: known.get(key) for key in keys} | {"error": error}))
        if problem_of_output():
            print(sentence, file=sys.stderr)
    else:
        print(sentence, file=sys.stderr)
