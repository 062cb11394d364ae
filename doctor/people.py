"""The doctor's check of people: can everybody who is kept here be called or texted?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import phonenumbers
import sqlalchemy as sa

from alerts import Desk
from alerts.phone_numbers import Regions, split_dialed
from database import DatabaseError
from doctor import Check, Fix, Group, Line
from doctor.check import Lines
from people.checking import check_contact
from people.contact import Contact
from people.directory import read_contacts
from people.tables import contacts

# Reading a number takes a millisecond.
MOST_PEOPLE = 2_000
MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class _Trouble:
    name: str
    sentence: str
    regions: frozenset[str]


class PeopleChecks:
    """The check of the contacts."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def checks(self) -> list[Check]:
        """Return the check."""
        return [Check("people", Group.PEOPLE_AND_RULES, "People", self.people, 60.0)]

    async def people(self) -> Lines:
        """Read everybody's numbers, languages and time zones as sending does."""
        try:
            found, total = await (await self._desk.database()).read(_read)
        except DatabaseError:
            return []  # said by the check of the database
        if not found:
            return []
        regions = self._desk.services.regions
        troubles = await asyncio.to_thread(_troubles, found, regions)
        if not troubles:
            everybody = "The one person here" if total == 1 else f"All {len(found):,} people"
            more = f" of the first {len(found):,}" if len(found) < total else ""
            return [Line("fine", f"{everybody}{more} can be called or texted.")]
        return [_line(troubles, len(found), regions)]


def _read(connection: sa.Connection) -> tuple[list[Contact], int]:
    total = connection.scalar(sa.select(sa.func.count()).select_from(contacts)) or 0
    ids = connection.scalars(
        sa.select(contacts.c.id).order_by(contacts.c.name_key, contacts.c.id).limit(MOST_PEOPLE)
    ).all()
    return read_contacts(connection, ids), total


def _troubles(people: Sequence[Contact], regions: Regions) -> list[_Trouble]:
    troubles = []
    for person in people:
        _, problems = check_contact(person, regions)
        if problems:
            sentence = str(next(iter(problems.values())))
            troubles.append(
                _Trouble(person.name, sentence, _regions_of(person) - {*regions.allowed})
            )
    return troubles


def _regions_of(person: Contact) -> frozenset[str]:
    numbers = (phonenumbers.parse(split_dialed(each)[0]) for each in person.numbers)
    found = (phonenumbers.region_code_for_number(each) for each in numbers)
    return frozenset(each for each in found if each and each.isalpha())


def _line(troubles: Sequence[_Trouble], total: int, regions: Regions) -> Line:
    count = len(troubles)
    who = "1 person" if count == 1 else f"{count:,} people"
    words = f"{who} of {total:,} can't be called or texted as they are kept here."
    named = " ".join(f"{each.name}: {each.sentence}" for each in troubles[:MOST_NAMED])
    more = f" And {count - MOST_NAMED:,} more." if count > MOST_NAMED else ""
    missing = sorted(frozenset().union(*(each.regions for each in troubles)))
    fixes: tuple[Fix, ...] = ()
    if missing:
        text = f"ALLOWED_REGIONS={','.join([*regions.allowed, *missing])}"
        fixes = (Fix(text, "In .env, if they shall be called"),)
    return Line("to do", words, f"{named}{more}", fixes)
