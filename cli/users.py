"""`python -m alerts users add|password|remove|list|sign-out`: who can sign in to the pages."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import getpass
import json
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from access.audit_entry import Action, Kind
from access.sessions import Sessions
from access.sign_in import STAY_SECONDS
from access.users import UsersError, UsersFile
from alerts import DatabaseError, Desk, UnusableInput
from cli import ACCEPTED
from cli.printing import as_given
from settings import Settings

Result = TypeVar("Result")


def add_to(commands: Any) -> None:
    """Add the command and its own commands to argparse's subparsers."""
    users = commands.add_parser("users", help="add and remove people who can sign in")
    actions = users.add_subparsers(
        dest="action", required=True, metavar="add|password|remove|list|sign-out"
    )
    for name, run, words in (
        ("add", _add, "let a person sign in; asks for a password, or reads it from a pipe"),
        ("password", _password, "give them another password, and sign them out"),
        ("remove", _remove, "take their sign-in away, and sign them out"),
        ("sign-out", _sign_out, "sign them out everywhere"),
        ("list", _list, "list those who can sign in"),
    ):
        command = actions.add_parser(name, help=words)
        command.set_defaults(run=run)
        if name != "list":
            command.add_argument("name", metavar="NAME", help="how they sign in")
        command.add_argument("--json", action="store_true", help="print JSON")


async def _add(settings: Settings, chosen: argparse.Namespace) -> int:
    users, password = _users(settings), _new_password()
    _done(lambda: users.add(chosen.name, password))
    await _record(settings, Action.ADDED, chosen.name)
    return _say(chosen, f"{chosen.name} can sign in.", name=chosen.name)


async def _password(settings: Settings, chosen: argparse.Namespace) -> int:
    users = _users(settings)
    # Look before asking for a password that would be of no use.
    _done(lambda: users.get(chosen.name))
    password = _new_password()
    user = _done(lambda: users.change_password(chosen.name, password))
    count = await _end_all_of(settings, Action.CHANGED, user.name)
    return _say(chosen, f"{user.name} has a new password.", name=user.name, signed_out=count)


async def _remove(settings: Settings, chosen: argparse.Namespace) -> int:
    users = _users(settings)
    user = _done(lambda: users.remove(chosen.name))
    count = await _end_all_of(settings, Action.REMOVED, user.name)
    return _say(chosen, f"{user.name} can't sign in any more.", name=user.name, signed_out=count)


async def _sign_out(settings: Settings, chosen: argparse.Namespace) -> int:
    """End the sign-ins of a name, even of one that isn't, or is no longer, in the file of users."""
    name, is_user = chosen.name, _is_user(settings, chosen.name)
    count = await _end_all_of(settings, Action.SIGNED_OUT_ALL, name, even_if_none=is_user)
    if count is None:
        raise DatabaseError("The database can't be used now, so nobody was signed out.")
    if not count and not is_user:
        whom = f"signed in as {as_given(name)}" if name.strip() else "signed in without a name"
        raise UnusableInput("name", f"Nobody is {whom}, and there is no such user.")
    browsers = "1 browser" if count == 1 else f"{count:,} browsers"
    done = (
        f"Signed {name!a} out of {browsers}." if count else f"{name!a} wasn't signed in anywhere."
    )
    return _say(chosen, done, name=name, signed_out=count)


async def _list(settings: Settings, chosen: argparse.Namespace) -> int:
    found = _done(_users(settings).all)
    for user in found:
        print(json.dumps({"name": user.name}) if chosen.json else user.name)
    if not found and not chosen.json:
        print("There are no users yet.")
    return ACCEPTED


def _users(settings: Settings) -> UsersFile:
    if settings.users_file is None:
        raise UnusableInput(
            "users", "USERS_FILE is not set: set it to a file that will hold the users."
        )
    return UsersFile(settings.users_file)


def _done(work: Callable[[], Result]) -> Result:
    try:
        return work()
    except UsersError as problem:
        sentence = str(problem)
    raise UnusableInput("name", sentence)


def _new_password() -> str:
    """Ask for a password twice without showing it; without a terminal, read one line."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("New password: ")
    if getpass.getpass("The same again: ") != password:
        raise UnusableInput("password", "These were two different passwords. Nothing was changed.")
    return password


def _is_user(settings: Settings, name: str) -> bool:
    """Whether there is a user of this name; true too if the file can't be read."""
    if settings.users_file is None:
        return False
    try:
        return UsersFile(settings.users_file).find(name) is not None
    except UsersError:
        return True


async def _end_all_of(
    settings: Settings, action: Action, name: str, *, even_if_none: bool = True
) -> int | None:
    """End the sign-ins of a name, and record that unless there are none.

    Returns how many there were, None if the database can't be used. The file alone also ends them,
    once it has no such user or another hash.
    """
    try:
        async with Desk.from_settings(settings, mode="observer") as desk, asyncio.timeout(15):
            idle = timedelta(hours=settings.sign_in_idle_hours)
            sessions = Sessions(await desk.database(), idle, timedelta(seconds=STAY_SECONDS))
            count = await sessions.end_all_of(name)
            if count or even_if_none:
                await (await desk.audit()).record(action, Kind.USERS, name, name)
            return count
    except (DatabaseError, TimeoutError):
        return None


async def _record(settings: Settings, action: Action, name: str) -> None:
    """Record it in the audit trail if the database can be used; users can be managed without it."""
    with contextlib.suppress(DatabaseError, TimeoutError):
        async with Desk.from_settings(settings, mode="observer") as desk, asyncio.timeout(15):
            await (await desk.audit()).record(action, Kind.USERS, name, name)


def _say(chosen: argparse.Namespace, sentence: str, **outcome: object) -> int:
    print(json.dumps(outcome) if chosen.json else sentence)
    return ACCEPTED
