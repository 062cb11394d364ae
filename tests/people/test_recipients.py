"""The text of the To field: numbers, names and groups become recipients, or a sentence each."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from alerts import AlertRequest, UnusableInput
from alerts.phone_numbers import Regions
from database.database import Database
from people.directory import Directory
from people.names import name_key
from people.recipients import (
    Recipient,
    Unclear,
    check_recipients,
    only_numbers,
    read_recipients,
    without,
)
from people.tables import contact_groups, contact_numbers, contacts, group_members
from tests.support.databases import sqlite_in

REGIONS = Regions("US", ("US", "GB"))
BEN, CLARA, JOE = "+14125550123", "+442079460958", "+14125550147"


def add(connection: sa.Connection, name: str, *numbers: str, group: str = "") -> None:
    key = f"{name} {numbers}"
    row = {"id": key, "name": name, "name_key": name_key(name)}
    rest = {"language": "", "time_zone": "", "notes": "", "created_at": 0, "updated_at": 0}
    connection.execute(sa.insert(contacts).values(row | rest))
    for position, number in enumerate(numbers, start=1):
        values = {"contact_id": key, "position": position, "number": number}
        connection.execute(sa.insert(contact_numbers).values(values))
    if group:
        values = {"group_id": group, "contact_id": key}
        connection.execute(sa.insert(group_members).values(values))


def fill(connection: sa.Connection) -> None:
    for name in ("Hollow Elm", "Nobody"):
        row = {"id": name, "name": name, "name_key": name_key(name)}
        connection.execute(sa.insert(contact_groups).values(row))
    add(connection, "Ben Adeyemi", BEN, "+14125550124", group="Hollow Elm")
    add(connection, "Clara Novak", CLARA)
    add(connection, "Joe Whitfield", JOE, group="Hollow Elm")
    add(connection, "José Leal", "+14125550119")
    add(connection, "Ana Ito", "+14125550130")
    add(connection, "Ana Ortiz", "+14125550131")
    add(connection, "Kim Lee", "+14125550132")
    add(connection, "Kim Lee", "+14125550133")
    add(connection, "Noor Numberless")
    add(connection, "Kaito Mori", "+81355550142")
    add(connection, "Desk Two", "+14125550134,12")


@pytest.fixture
async def directory(tmp_path: Path) -> AsyncIterator[Directory]:
    database = Database(sqlite_in(tmp_path))
    await database.open()
    await database.write(fill)
    yield Directory(database)
    await database.close()


def named(found: Sequence[Recipient | Unclear]) -> list[tuple[str, str]]:
    return [
        (each.name, each.to) if isinstance(each, Recipient) else ("", each.problem)
        for each in found
    ]


async def test_names_and_numbers_side_by_side(directory: Directory):
    found = await read_recipients("Ben, clara  NOVAK\n412-555-0147", "call", REGIONS, directory)
    assert named(found) == [
        ("Ben Adeyemi", BEN),
        ("Clara Novak", CLARA),
        ("Joe Whitfield", JOE),
    ]
    assert found[0] == Recipient(0, BEN, "Ben Adeyemi", ("+14125550124",))


async def test_a_group_is_everybody_in_it_and_nobody_is_there_twice(directory: Directory):
    found = await read_recipients("hollow elm; Joe; 412 555 0147", "call", REGIONS, directory)
    assert named(found) == [("Ben Adeyemi", BEN), ("Joe Whitfield", JOE)]


async def test_who_is_left_out_disappears_from_the_text(directory: Directory):
    text = "Hollow Elm, Clara"
    found = await read_recipients(text, "call", REGIONS, directory)
    people = [each for each in found if isinstance(each, Recipient)]
    assert without(text, people[0], people[1:]) == "Joe Whitfield, Clara"
    assert without(text, people[2], people[:2]) == "Hollow Elm"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Bean", "Nobody called Bean. Ben Adeyemi?"),
        ("Zzyzx", "Nobody called Zzyzx."),
        ("Ana", "Which Ana: Ana Ito, Ana Ortiz?"),
        ("Kim Lee", "2 people are called Kim Lee: type +1 412-555-0132 or +1 412-555-0133."),
        ("Nobody", "The group Nobody is empty."),
        ("Noor", "Noor Numberless has no number yet: add one under People."),
        ("412 555 014", "Too few digits for a phone number (United States)."),
        ("911", "911 is an emergency number; Callboard won't call it."),
        ("whatsapp:+14125550147", "Callboard makes calls and sends plain texts"),
        ("Kaito", "Japan isn't among the countries allowed here."),
        ("ben@example.com", "That isn't a phone number."),
    ],
)
async def test_a_part_that_leads_to_nobody_is_one_sentence(
    directory: Directory, text: str, problem: str
):
    [found] = await read_recipients(text, "call", REGIONS, directory)
    assert isinstance(found, Unclear)
    assert problem in found.problem
    assert found.typed == text
    with pytest.raises(UnusableInput) as raised:
        check_recipients([found])
    assert str(raised.value) == found.problem
    with pytest.raises(UnusableInput) as raised:
        check_recipients([found, Recipient(1, BEN)])
    assert str(raised.value).startswith(f"{text}: ")


async def test_nobody_at_all_is_refused(directory: Directory):
    with pytest.raises(UnusableInput, match="Type a phone number"):
        check_recipients(await read_recipients(" ,;\n", "call", REGIONS, directory))


async def test_a_text_goes_to_no_extension(directory: Directory):
    found = await read_recipients("Desk Two, 412 555 0134 x12", "text", REGIONS, directory)
    assert all(isinstance(each, Unclear) for each in found)
    found = await read_recipients("Desk Two", "call", REGIONS, directory)
    assert named(found) == [("Desk Two", "+14125550134,12")]


def test_numbers_alone_need_no_database():
    assert named(only_numbers("(412) 555-0147", "call", REGIONS)) == [("", JOE)]
    [warned] = only_numbers("(436) 857-4309", "call", REGIONS)
    assert isinstance(warned, Recipient)
    assert "Twilio decides" in warned.warning


def test_own_numbers_come_before_other_people():
    request = AlertRequest("call", "", "Hello", then_to=(CLARA, JOE))
    addressed = Recipient(0, BEN, "Ben", (JOE,)).addressed(request)
    assert (addressed.to, addressed.name, addressed.then_to) == (BEN, "Ben", (JOE, CLARA))


async def test_names_that_a_search_takes_for_patterns_are_only_names(directory: Directory):
    for text in ("%", "_en", "B%n", "'; DROP TABLE contacts"):
        [found] = await read_recipients(text.replace(";", " "), "call", REGIONS, directory)
        assert isinstance(found, Unclear)


async def test_many_are_read_quickly(directory: Directory):
    many = ", ".join(f"412 555 {number:04d}" for number in range(500))
    began = time.process_time()
    found = await read_recipients(many, "call", REGIONS, directory)
    assert len(found) == 500
    assert time.process_time() - began < 10
