"""Who may use the pages, and where and how many calls may go, so that no one runs up a bill."""

from __future__ import annotations

import math
from collections.abc import Sequence

from access.actor import Permission, on_connect
from access.roles import Roles
from access.users import UsersError, UsersFile
from alerts.cost import guess_of
from alerts.phone_numbers import country_name
from alerts.services import Services
from doctor.check import Check, Fix, Group, Line, Lines
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
            return [
                Line(
                    "fine",
                    "Anyone with the password signs in, under any name, and may do everything.",
                )
            ]
        return [self._elsewhere() or self._without()]

    def _elsewhere(self) -> Line | None:
        """Return which host or proxy names the visitors, None if none does."""
        settings = self._settings
        if settings.identity_header is not None:
            proxies = ", ".join(settings.trusted_proxies)
            words = f"The proxy at {proxies} says who a visitor is, in {settings.identity_header}."
            return Line("fine", words)
        return Line("fine", "Posit Connect says who a visitor is.") if on_connect() else None

    def _without(self) -> Line:
        if self._settings.simulated:
            return Line("fine", "Nobody has to sign in, because no real phone rings.")
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
    if not count(Permission.SEND):
        lines.append(Line("to do", "Nobody may send.", "None of the users is in SENDERS."))
    elif count(Permission.SEND) == 1:
        words = "More than MAX_RECIPIENTS go out only from the shell: there is no second sender."
        lines.append(Line("fine", words))
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
            *self._of_national_numbers(),
            Line("fine", f"No more than {an_hour:,} {alerts} one number in an hour."),
            Line("fine", f"No more than {most:,} {people} are called or texted at once."),
            *self._of_senders(),
        ]

    def _of_national_numbers(self) -> list[Line]:
        """Say if numbers typed without a country code are always refused."""
        regions = self._services.regions
        if regions.default in regions.allowed:
            return []
        country = country_name(regions.default)
        words = "Numbers that are typed without a country's code are refused."
        seen = (
            f"They are read as numbers of {_the(country)} (DEFAULT_REGION), which isn't in "
            "ALLOWED_REGIONS."
        )
        default = Fix(f"DEFAULT_REGION={regions.allowed[0]}", "In .env")
        return [Line("to do", words, seen, (default,))]

    def _of_senders(self) -> list[Line]:
        """Say how much one sender may send in an hour, and everybody in a day."""
        lines, recipients = list[Line](), self._services.max_recipients
        if (most := self._services.alerts_per_person_per_hour) is not None:
            an_hour = f"One person can send {most:,} calls and texts an hour at most."
            lines.append(Line("fine", an_hour))
            if most < recipients:
                lines.append(_too_many_at_once(most, recipients))
        if (spend := self._services.daily_spend_limit) is not None:
            lines.append(Line("fine", f"No more than {spend:,.2f} is spent in a day."))
            lines.extend(self._of_dear_calls(spend))
        elif self._services.simulator is None:
            words = "Nothing but the limits above keeps a day from becoming expensive."
            limit = Fix("DAILY_SPEND_LIMIT=50", "In .env, in the account's currency")
            lines.append(Line("to do", words, fixes=(limit,)))
        return lines

    def _of_dear_calls(self, spend: float) -> list[Line]:
        """Say if the day's limit isn't enough for one call, or for as many as may start at once."""
        recipients = self._services.max_recipients
        region = max(self._services.regions.allowed, key=lambda each: guess_of(each).call)
        call = guess_of(region).call
        needed = call * recipients
        if needed <= spend:
            return []
        there = _the(country_name(region))
        lasts = f"lasts for {int(spend / call):,}" if spend >= call else "doesn't last for any"
        words = f"A day's money {lasts} of the calls to {there} while their price isn't known."
        seen = (
            f"Each counts as {call:,.2f} until three have been priced. "
            f"DAILY_SPEND_LIMIT is {spend:,.2f}, and MAX_RECIPIENTS lets {recipients:,} be called "
            f"at once: that takes {needed:,.2f}."
        )
        limit = Fix(f"DAILY_SPEND_LIMIT={math.ceil(needed)}", "In .env, in the account's currency")
        return [Line("to do", words, seen, (limit,))]


def _too_many_at_once(an_hour: int, recipients: int) -> Line:
    """Say that the hourly limit refuses what may be sent at once."""
    words = f"A person who sends to more than {an_hour:,} people at once is refused."
    seen = (
        f"MAX_RECIPIENTS lets {recipients:,} be called or texted at once, but "
        f"ALERTS_PER_PERSON_PER_HOUR lets a person cause only {an_hour:,} an hour. "
        "Raise that, or lower MAX_RECIPIENTS: then a second person can say yes to more."
    )
    raised = Fix(f"ALERTS_PER_PERSON_PER_HOUR={recipients}", "In .env, to allow it")
    lowered = Fix(f"MAX_RECIPIENTS={an_hour}", "Or, to have a second person asked")
    return Line("to do", words, seen, (raised, lowered))


def country_list(regions: Sequence[str]) -> str:
    """Return the English names of regions (ISO 3166-1 alpha-2): "the United States and Canada"."""
    names = [_the(country_name(each)) for each in regions]
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def _the(country: str) -> str:
    """Put "the" before a country's name where English does."""
    plural = country.startswith("United ") or country.endswith(("lands", "Islands", "Republic"))
    return f"the {country}" if plural else country
