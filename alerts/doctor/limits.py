"""What keeps calls from going where they shouldn't: countries, and how many."""

from __future__ import annotations

from collections.abc import Sequence

from alerts.doctor.check import Check, Fix, Group, Line, Lines
from alerts.phone_numbers import country_name
from alerts.services import Services

# Toll fraud goes to countries that few people have a reason to call.
MANY_COUNTRIES = 20


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
