"""Who may use the pages: nobody should be able to place calls that others pay for."""

from __future__ import annotations

from access.actor import Permission
from access.connect import on_connect
from access.roles import Roles
from access.users import UsersError, UsersFile
from alerts.doctor.check import Check, Fix, Group, Line, Lines
from settings import Settings

ADD_USER = ".venv/bin/python -m alerts users add NAME"
HOW = (
    Fix("USERS_FILE=users.txt", "Names and passwords, in .env"),
    Fix(ADD_USER, "Then add the first one"),
)


class AccessChecks:
    """The check of the sign-in."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def checks(self) -> list[Check]:
        """Return the check."""
        return [Check("sign-in", Group.ACCESS, "Sign-in", self.sign_in)]

    async def sign_in(self) -> Lines:
        """Say who gets in, and what they may do."""
        settings = self._settings
        if settings.users_file is not None:
            return _users(UsersFile(settings.users_file), Roles.from_settings(settings))
        if settings.dashboard_password is not None:
            return [Line("fine", "Who knows the password signs in, by any name, and may do all.")]
        return [self._elsewhere() or self._without()]

    def _elsewhere(self) -> Line | None:
        """Who else says who somebody is, None if nobody does."""
        settings = self._settings
        if settings.identity_header is not None:
            proxies = ", ".join(settings.trusted_proxies)
            words = f"The proxy at {proxies} says who somebody is, in {settings.identity_header}."
            return Line("fine", words)
        return Line("fine", "Posit Connect says who somebody is.") if on_connect() else None

    def _without(self) -> Line:
        if self._settings.simulated:
            return Line("fine", "Nobody has to sign in, for nobody's phone rings.")
        if self._settings.allow_anonymous:
            words = "Everybody who can open this page can place calls that you pay for."
            return Line("to do", words, "ALLOW_ANONYMOUS is set. Have people sign in:", HOW)
        words = "Only this machine can open the pages: nobody can sign in."
        return Line("to do", words, "Fine on a laptop. For others, have them sign in:", HOW)


def _users(users: UsersFile, roles: Roles) -> Lines:
    try:
        actors = [roles.actor(each.name) for each in users.all()]
    except UsersError as problem:
        return [Line("broken", "Nobody can sign in.", str(problem))]
    if not actors:
        add = Fix(ADD_USER, "At the shell")
        return [Line("broken", "Nobody can sign in.", "There are no users yet.", (add,))]

    def count(permission: Permission) -> int:
        return sum(each.may(permission) for each in actors)

    may = (
        f"{count(Permission.WRITE)} may change rules and people, "
        f"{count(Permission.SEND)} may send, {count(Permission.LOOK)} may look"
    )
    lines = [Line("fine", f"Everybody signs in: {may}.")]
    if not count(Permission.ADMINISTER):
        words = "Nobody may lift an emergency stop or see the audit trail on the page."
        lines.append(Line("to do", words, "None of the users is in ADMINS."))
    return lines
