"""The doctor's check of people: who can't be called as they are kept here."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alerts import Desk
from alerts.phone_numbers import Regions
from doctor import Line
from doctor.people import PeopleChecks
from people.contact import Contact
from people.contacts import Contacts
from tests.support.desks import simulated_desk
from tests.support.doctor_lines import lines_of

EVERYWHERE = Regions("US", ("US", "DE", "GB"))


async def asked(folder, *people: Contact) -> list[Line]:
    """What is said of people who could all be called when they were saved."""
    async with simulated_desk(folder) as desk:
        contacts = Contacts(await desk.database(), EVERYWHERE)
        for each in people:
            await contacts.save(each)
        services = replace(desk.services, regions=Regions())
        async with Desk(services, "observer") as observer:
            return await lines_of(PeopleChecks(observer), "people")


def person(name: str, number: str) -> Contact:
    return Contact("", name, (number,))


BEN, CLARA = person("Ben Adeyemi", "+1 412 555 0171"), person("Clara Novak", "+1 412 555 0172")
GERMANS = [person(f"Person {n}", f"+49 30 90182{n}") for n in range(5)]


async def test_nobody_is_here(tmp_path):
    assert await asked(tmp_path) == []


@pytest.mark.parametrize(
    ("people", "words"),
    [
        ([BEN], "The one person here can be called or texted."),
        ([BEN, CLARA], "All 2 people can be called or texted."),
    ],
)
async def test_everybody_can_be_reached(tmp_path, people, words):
    assert await asked(tmp_path, *people) == [Line("fine", words)]


async def test_people_in_countries_that_are_no_longer_allowed(tmp_path):
    [line] = await asked(tmp_path, BEN, *GERMANS)
    assert line.words == "5 people of 6 can't be called or texted as they are kept here."
    assert "Person 0: Germany isn't among the countries allowed here." in line.seen
    assert "And 2 more." in line.seen
    assert line.fixes[0].text == "ALLOWED_REGIONS=US,DE"
