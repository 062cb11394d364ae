"""Who may use the pages, where calls may go and how many: nobody else should run up a bill."""

from __future__ import annotations

from collections.abc import Sequence

from access.actor import Permission, on_connect
from access.roles import Roles
from access.users import UsersError, UsersFile
from alerts.doctor.check import Check, Fix, Group, Line, Lines
from alerts.phone_numbers import country_name
from alerts.services import Services
from settings import Settings

ADD_USER = ".venv/bin/python -m alerts users add NAME"
HOW = (
    Fix("USERS_FILE=users.txt", "Names and passwords, in .env"),
    Fix(ADD_USER, "Then add the first one"),
)
# Toll fraud goes to countries that few people have a reason to call.
MANY_COUNTRIES = 20


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


class LimitChecks:
    """The checks of the limits that the settings name."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def checks(self) -> list[Check]:
        """Return the check."""
        return [Check("limits", Group.ACCESS, "Limits", self.limits)]

    async def limits(self) -> Lines:
        """Say where calls may go, how often, and to how many people at once."""
        regions = self._services.regions.allowed
        an_hour, most = self._services.alerts_per_number_per_hour, self._services.max_recipients
        if len(regions) > MANY_COUNTRIES:
            countries = Line(
                "to do",
                f"Calls go to {len(regions)} countries, where others could run up a bill.",
                "Name only those where your people are in ALLOWED_REGIONS.",
            )
        else:
            countries = Line("fine", f"Calls go only to {country_list(regions)}.")
        alerts = "call or text reaches" if an_hour == 1 else "calls and texts reach"
        people = "person" if most == 1 else "people"
        return [
            countries,
            Line("fine", f"No more than {an_hour:,} {alerts} one number in an hour."),
            Line("fine", f"No more than {most:,} {people} are called or texted at once."),
            *self._of_senders(),
        ]

    def _of_senders(self) -> list[Line]:
        """Say how much one sender, and all of them, may cause."""
        lines = list[Line]()
        if (most := self._services.alerts_per_person_per_hour) is not None:
            lines.append(Line("fine", f"Nobody causes more than {most:,} calls and texts an hour."))
        if (spend := self._services.daily_spend_limit) is not None:
            lines.append(Line("fine", f"No more than {spend:,.2f} is spent in a day."))
        elif self._services.simulator is None:
            words = "Nothing but the limits above keeps a day from becoming expensive."
            limit = Fix("DAILY_SPEND_LIMIT=50", "In .env, in the account's currency")
            lines.append(Line("to do", words, fixes=(limit,)))
        return lines


def country_list(regions: Sequence[str]) -> str:
    """Return the English names of regions (ISO 3166-1 alpha-2): "the United States and Canada"."""
    names = [_the(country_name(each)) for each in regions]
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def _the(country: str) -> str:
    """Put "the" before a country's name where English does."""
    plural = country.startswith("United ") or country.endswith(("lands", "Islands", "Republic"))
    return f"the {country}" if plural else country
