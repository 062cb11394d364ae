"""Actors: who acts, what they may do, and whether the host names them, as Posit Connect does."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from access.audit_entry import Kind

Where = Literal["page", "shell"]


class Permission(StrEnum):
    """What people may do. No permission includes another; `access/roles.py` says who has which."""

    LOOK = "look"
    """See alerts, people, rules and what became of them."""
    SEND = "send"
    """Send alerts, and cancel them; stop everything in an emergency."""
    WRITE = "write"
    """Change rules, people, groups and message templates."""
    ADMINISTER = "administer"
    """See the audit trail and the setup, and lift an emergency stop."""


EVERYTHING = frozenset(Permission)

NOT_ALLOWED = {
    Permission.LOOK: "You may not see this.",
    Permission.SEND: "You may look, but not send or cancel alerts.",
    Permission.WRITE: "You may not change rules, people or templates.",
    Permission.ADMINISTER: "Only an administrator may do this.",
}
# What an actor tried, if only the permission that it takes is known.
TRIED = {
    Permission.LOOK: "look",
    Permission.SEND: "send or cancel alerts",
    Permission.WRITE: "change rules, people or templates",
    Permission.ADMINISTER: "do what only an administrator may",
}


class NotAllowed(PermissionError):
    """The actor may not do what was asked for; nothing was done. `str()` is one sentence."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks for something: a person at a page, or the user that runs a command or a script.

    `name` is shown in alerts, versions of rules and the audit trail. The trail also shows `where`
    they are. `on_refused` is called at each refusal: with the actor, what they tried ("send an
    alert"), and the kind of thing that it is about, None if that isn't known.
    """

    name: str
    permissions: frozenset[Permission]
    where: Where = "page"
    on_refused: OnRefused | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of_process(cls) -> Self:
        """The user that runs this process, who has its settings and so may do everything."""
        return cls(process_user(), EVERYTHING, "shell")

    @classmethod
    def at_page(cls) -> Self:
        """A visitor of pages without a sign-in, who acts as the user that runs this process."""
        return cls(process_user(), EVERYTHING)

    def may(self, permission: Permission) -> bool:
        """Whether they have this permission."""
        return permission in self.permissions

    def require(self, permission: Permission, tried: str = "", kind: Kind | None = None) -> None:
        """Raise `NotAllowed` unless they have this permission.

        `tried` says what they want to do, such as "send an alert", and `kind` to what kind of
        thing.
        """
        if permission in self.permissions:
            return
        if self.on_refused is not None:
            self.on_refused(self, tried or TRIED[permission], kind)
        raise NotAllowed(NOT_ALLOWED[permission])


OnRefused = Callable[[Actor, str, "Kind | None"], None]


def process_user() -> str:
    """The user that runs this process, or "callboard" in a container whose user has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "callboard"


def on_connect() -> bool:
    """Return whether Posit Connect runs this process, and so says who a visitor is.

    https://docs.posit.co/connect/user/environment-variables/
    """
    return "CONNECT" in (os.environ.get("POSIT_PRODUCT"), os.environ.get("RSTUDIO_PRODUCT"))
