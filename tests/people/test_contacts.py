"""Saving contacts: what is typed is checked, and a number is one person's."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from alerts import UnusableInput
from database.database import Database
from people.checking import check_contact, read_language, read_time_zone
from people.contact import Contact
from people.contacts import Contacts, clock_zone
from people.directory import Directory
from people.groups import Group, Groups
from people.names import name_key
from people.tables import contact_groups
from tests.people.conftest import REGIONS

BEN = Contact("", "Ben Adeyemi", ("(412) 555-0123",), groups=("Hollow Elm",))
EVERYTHING = Contact(
    "",
    "  Tomás   Leal ",
    ("412 555 0119", "+44 20 7946 0958 x12"),
    "Spanish",
    "america/new york",
    "Coffee buyer\n  \nMornings only  ",
    ("Blue Kettle", "blue kettle", "Lab on call"),
)


async def test_what_is_typed_is_read_and_kept(contacts: Contacts):
    saved = await contacts.save(EVERYTHING)
    assert saved == Contact(
        saved.id,
        "Tomás Leal",
        ("+14125550119", "+442079460958,12"),
        "es-US",
        "America/New_York",
        "Coffee buyer\n\nMornings only",
        ("Blue Kettle", "Lab on call"),
    )
    assert await contacts.get([saved.id, "nobody"]) == [saved]


async def test_a_change_replaces_everything(contacts: Contacts, database: Database):
    saved = await contacts.save(EVERYTHING)
    changed = replace(
        saved, name="Tom Leal", numbers=saved.numbers[::-1], groups=("Saltmarsh",), notes=""
    )
    assert await contacts.save(changed) == changed
    assert await contacts.get([saved.id]) == [changed]
    assert await Groups(database).all() == [
        Group("Blue Kettle", 0),
        Group("Lab on call", 0),
        Group("Saltmarsh", 1),
    ]


@pytest.mark.parametrize("name", ["North|South", "North:::South"])
async def test_a_new_group_has_no_name_that_an_import_would_split(
    contacts: Contacts, database: Database, name: str
):
    groups, ben = Groups(database), await contacts.save(BEN)
    await groups.add("North")
    for refused in (
        groups.add(name),
        groups.rename("North", name),
        contacts.put_into([ben.id], name),
        contacts.save(replace(ben, groups=(name,))),
    ):
        with pytest.raises(UnusableInput, match="Leave commas, semicolons, "):
            await refused

    # Groups that an earlier version has made stay usable.
    row = {"id": "g1", "name": name, "name_key": name_key(name)}
    await database.write(
        lambda connection: connection.execute(sa.insert(contact_groups), [row]) and None
    )
    assert await contacts.put_into([ben.id], name) == 1
    [ben] = await contacts.get([ben.id])
    assert ben.groups == ("Hollow Elm", name)
    assert await contacts.save(replace(ben, notes="Mornings only")) == replace(
        ben, notes="Mornings only"
    )
    assert await groups.rename(name, name.upper()) == name.upper()


@pytest.mark.parametrize(
    ("field", "wrong", "said"),
    [
        ("name", {"name": " "}, "Type a name."),
        ("name", {"name": "x" * 101}, "100 characters"),
        ("name", {"name": "Ben\x07"}, "can't be saved with invisible"),
        ("number_1", {"numbers": ()}, "Type a phone number."),
        ("number_1", {"numbers": ("412",)}, "Too few digits"),
        ("number_2", {"numbers": ("412 555 0123", "+81 3 5550 0142")}, "Japan isn't among"),
        ("number_2", {"numbers": ("412 555 0123", "4125550123")}, "there already"),
        ("number_3", {"numbers": ("412 555 0123", *map(str, (4, 5, 6)))}, "3 numbers"),
        ("language", {"language": "Klingon"}, "“Klingon” isn't a language"),
        ("time_zone", {"time_zone": "Mars/Olympus"}, "such as America/New_York"),
        ("notes", {"notes": "x" * 2_001}, "2,000 characters"),
        ("groups", {"groups": ("Lab, day",)}, "Leave commas, semicolons, | and"),
    ],
)
def test_each_wrong_field_is_named(field: str, wrong: dict[str, Any], said: str):
    _, problems = check_contact(replace(BEN, **wrong), REGIONS)
    assert said in str(problems[field])
    assert problems[field].field == field


async def test_every_wrong_field_at_once_and_nothing_saved(contacts: Contacts, database: Database):
    wrong = Contact("", "", ("412", "911"), "Klingon", "Mars", groups=("A;B",))
    problems = await contacts.check(wrong)
    assert set(problems) == {
        "name", "number_1", "number_2", "language", "time_zone", "groups",
    }  # fmt: skip
    with pytest.raises(UnusableInput):
        await contacts.save(wrong)
    assert await Groups(database).all() == []


async def test_a_number_belongs_to_one_person(contacts: Contacts):
    ben = await contacts.save(BEN)
    other = Contact("", "Clara Novak", ("+44 20 7946 0958", "+1 412 555 0123"))
    assert "number of Ben Adeyemi" in str((await contacts.check(other))["number_2"])
    with pytest.raises(UnusableInput, match="number of Ben Adeyemi") as refused:
        await contacts.save(other)
    assert refused.value.field == "number_2"
    # His own number isn't in his way.
    assert await contacts.save(ben) == ben


async def test_two_who_save_one_number_at_once(contacts: Contacts, database_url: str):
    others = Database(database_url)
    await others.open()
    saves = [
        each.save(Contact("", f"Person {number}", ("412 555 0123",)))
        for number, each in enumerate([contacts, Contacts(others, REGIONS)] * 3)
    ]
    outcomes = await asyncio.gather(*saves, return_exceptions=True)
    await others.close()
    assert sum(isinstance(each, Contact) for each in outcomes) == 1
    refused = [each for each in outcomes if not isinstance(each, Contact)]
    assert all(isinstance(each, UnusableInput) for each in refused), refused


async def test_removed_while_being_changed(contacts: Contacts, database: Database):
    saved = await contacts.save(BEN)
    assert await contacts.remove([saved.id, "nobody"]) == 1
    assert await contacts.get([saved.id]) == []
    with pytest.raises(UnusableInput, match="removed in the meantime"):
        await contacts.save(saved)
    assert await Directory(database).find(["Ben Adeyemi"]) != {}
    assert (await contacts.save(BEN)).id != saved.id


async def test_into_groups_and_out(contacts: Contacts, database: Database):
    ben = await contacts.save(BEN)
    clara = await contacts.save(Contact("", "Clara Novak", ("+44 20 7946 0958",)))
    ids = [ben.id, clara.id, "nobody"]
    assert await contacts.put_into(ids, "hollow  elm") == 1
    assert await contacts.put_into(ids, "New ones") == 2
    assert await Groups(database).all() == [Group("Hollow Elm", 2), Group("New ones", 2)]
    assert await contacts.take_out([clara.id], "Hollow elm") == 1
    assert await contacts.take_out([clara.id], "no such group") == 0
    [kept] = await contacts.get([clara.id])
    assert kept.groups == ("New ones",)
    with pytest.raises(UnusableInput, match="Type a name for the group"):
        await contacts.put_into(ids, " ")


async def test_groups_are_made_renamed_and_removed(contacts: Contacts, database: Database):
    groups = Groups(database)
    ben = await contacts.save(BEN)
    assert await groups.add(" Lab  on call ") == "Lab on call"
    with pytest.raises(UnusableInput, match="a group Lab on call already"):
        await groups.add("lab on call")
    with pytest.raises(UnusableInput, match="a group Lab on call already"):
        await groups.rename("Hollow Elm", "Lab on Call")
    assert await groups.rename("Hollow Elm", "HOLLOW ELM") == "HOLLOW ELM"
    assert await groups.all() == [Group("HOLLOW ELM", 1), Group("Lab on call", 0)]
    await groups.remove("hollow elm")
    assert await groups.all() == [Group("Lab on call", 0)]
    assert await contacts.get([ben.id]) == [replace(ben, groups=())]


@pytest.mark.parametrize(
    ("written", "region", "code"),
    [
        ("", "US", ""), ("en", "US", "en-US"), ("English", "GB", "en-GB"), ("en", "FR", "en-GB"),
        ("pt_BR", "US", "pt-BR"), ("Portuguese", "PT", "pt-PT"), ("Deutsch", "US", "de-DE"),
        ("German (Austria)", "US", "de-AT"), ("español", "US", "es-US"), ("no", "US", "nb-NO"),
        ("fr-CH", "US", "fr-FR"),
    ],
)  # fmt: skip
def test_languages_as_people_write_them(written: str, region: str, code: str):
    assert read_language(written, region) == code


def test_time_zones_as_people_write_them():
    assert read_time_zone("europe/berlin") == "Europe/Berlin"
    assert read_time_zone(" America/New York ") == "America/New_York"


@pytest.mark.parametrize(
    ("number", "zone"),
    [("+14125550123", "America/New_York"), ("+18005550123", ""), ("+61412345678", "")],
)
def test_a_clock_is_shown_only_where_it_is_sure(number: str, zone: str):
    assert clock_zone(Contact("", "Ben", (number,))) == zone
    assert clock_zone(Contact("", "Ben", (number,), time_zone="Asia/Tokyo")) == "Asia/Tokyo"
