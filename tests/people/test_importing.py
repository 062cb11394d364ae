"""Importing: who is new, who is known, what needs a look, and nothing half done."""

from __future__ import annotations

import asyncio
import csv
import io
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
import sqlalchemy as sa

from alerts import UnusableInput
from database.database import Database
from database.tables import metadata
from people.columns import guess_mapping
from people.contact import Contact
from people.contacts import Contacts, write_contacts
from people.exporting import write_csv
from people.importing import Candidate, Choices, Importer, Plan, make_plan
from people.listing import Listing, PeopleFilter
from people.sheet import read_sheet
from people.tables import contact_groups
from tests.people.conftest import REGIONS
from tests.support.databases import postgres_in
from tests.support.postgres import PostgresServer

JOE = Contact("", "Joe Whitfield", ("412 555 0147",), "en-US", notes="Packaging", groups=("Elm",))
ODD = [
    Contact("", "=1+1", ("+14125550101",), notes='=HYPERLINK("http://x")\n@home'),
    Contact("", "-Ben", ("+442079460958,,12", "+14125550102"), "pt-BR", "Asia/Tokyo"),
    Contact("", "'t Hooft", ("+14125550103",), notes="'=1", groups=("@night", "Lab \"A\"")),
    Contact("", "Émile, the second", ("+61255501420",), notes="''+1 'quoted'"),
    Contact("", "'4 of them", ("+14125550105",), notes="4.5E+09; x"),
]  # fmt: skip


def importer(database: Database, text: str) -> Importer:
    return Importer(database, REGIONS, read_sheet(text.encode()))


def choices(work: Importer) -> Choices:
    return Choices(guess_mapping(work.sheet), "US")


async def everybody(database: Database) -> list[Contact]:
    people = Listing(database, "AC1")
    return await Contacts(database, REGIONS).get(await people.ids(PeopleFilter()))


def names(people: tuple[Contact, ...]) -> list[str]:
    return [each.name for each in people]


async def test_a_dry_run_refuses_what_an_import_refuses(database: Database):
    work = importer(database, "name,number\nJoe,412 555 0147\n")
    wrong = replace(choices(work), groups=("North|South",))
    for asked in (work.plan, work.run):
        with pytest.raises(UnusableInput, match="Leave commas, semicolons, "):
            await asked(wrong)
    assert await everybody(database) == []


async def test_new_people_with_all_that_is_known_of_them(database: Database):
    work = importer(
        database,
        "full_name,mobile,office,site,lang,tz,notes\n"
        "Nora Lindqvist,412 555 0171,+44 20 7946 0958 x5,Brewhouse 2;Lab,en,asia/tokyo,May\n"
        "Paul Achebe,tel:+1-412-555-0176,,,,,\n",
    )
    done = await work.run(replace(choices(work), groups=("Imported",)))
    assert names(done.added) == ["Nora Lindqvist", "Paul Achebe"]
    nora, paul = await everybody(database)
    assert nora == Contact(
        nora.id, "Nora Lindqvist", ("+14125550171", "+442079460958,5"), "en-US", "Asia/Tokyo",
        "May", ("Brewhouse 2", "Imported", "Lab"),
    )  # fmt: skip
    assert paul == Contact(paul.id, "Paul Achebe", ("+14125550176",), groups=("Imported",))


async def test_what_needs_a_look_is_left_out_until_it_is_fixed(
    database: Database, contacts: Contacts
):
    joe = await contacts.save(JOE)
    work = importer(
        database,
        "name,number,language\n"
        "Ivo Brandt,412 555 014,\n"
        "Mei Tanaka,+81 3-5550-0142,\n"
        "J. Whitfield,+1 412-555-0147,\n"
        "Eve,4.12555E+09,\n"
        ",412 555 0188,\n"
        "Uhura,412 555 0189,Klingon\n"
        "Paul,412 555 0176,\n"
        "No number,,\n",
    )
    first = choices(work)
    plan = await work.plan(first)
    assert names(plan.added) == ["Paul"]
    assert plan.without_number == 1
    assert [(look.row, look.field, look.value, look.owner) for look in plan.problems] == [
        (2, "number_1", "412 555 014", ""),
        (3, "number_1", "+81 3-5550-0142", ""),
        (4, "number_1", "+1 412-555-0147", "Joe Whitfield"),
        (5, "number_1", "4.12555E+09", ""),
        (6, "name", "", ""),
        (7, "language", "Klingon", ""),
    ]
    said = [look.sentence for look in plan.problems]
    assert "Too few digits" in said[0]
    assert "Japan isn't among" in said[1]
    assert said[2] == "Is the number of Joe Whitfield."
    assert "digits are lost" in said[3]
    fixed = replace(
        first,
        fixes={
            (2, "number_1"): "412 555 0140", (5, "number_1"): "412 555 0147", (6, "name"): "Sam",
            (7, "language"): "German",
        },
        merged=frozenset({4}),
        left_out=frozenset({3}),
    )  # fmt: skip
    plan = await work.plan(fixed)
    # A fix may be as wrong as what it fixes.
    assert [(look.row, look.owner) for look in plan.problems] == [(5, "Joe Whitfield")]
    done = await work.run(fixed)
    assert names(done.added) == ["Ivo Brandt", "Sam", "Uhura", "Paul"]
    assert (done.unchanged, done.left_out, names(done.changed)) == (1, 1, [])
    assert [each.name for each in await everybody(database)] == [
        "Ivo Brandt", "Joe Whitfield", "Paul", "Sam", "Uhura",
    ]  # fmt: skip
    assert await contacts.get([joe.id]) == [joe]


async def test_one_who_is_known_by_the_number_gets_what_is_new(
    database: Database, contacts: Contacts
):
    joe = await contacts.save(JOE)
    work = importer(
        database, "name,number,phone,site,notes\njoe  WHITFIELD,4125550147,4125550148,Lab,\n"
    )
    done = await work.run(choices(work))
    assert (done.added, names(done.changed)) == ((), ["Joe Whitfield"])
    assert await contacts.get([joe.id]) == [
        replace(joe, numbers=("+14125550147", "+14125550148"), groups=("Elm", "Lab"))
    ]
    again = await work.run(choices(work))
    assert again == Plan(unchanged=1)


async def test_the_same_person_four_times(database: Database):
    work = importer(
        database,
        "name,number,site\nBen,412 555 0123,A\nben,+14125550123,B\nBen,4125550123 / 4125550124,\n"
        "Benny,412 555 0124,\n",
    )
    plan = await work.plan(choices(work))
    assert [(look.row, look.owner) for look in plan.problems] == [(5, "Ben")]
    done = await work.run(replace(choices(work), merged=frozenset({5})))
    assert done.problems == ()
    [ben] = await everybody(database)
    assert (ben.name, ben.numbers, ben.groups) == (
        "Ben", ("+14125550123", "+14125550124"), ("A", "B"),
    )  # fmt: skip


async def test_numbers_of_two_people_and_too_many(database: Database, contacts: Contacts):
    await contacts.save(JOE)
    await contacts.save(Contact("", "Ann", tuple(f"412 555 010{each}" for each in range(3))))
    work = importer(
        database,
        "name,phone,phone 2,phone 3,phone 4\n"
        "Joe Whitfield,4125550147,4125550100\n"
        "Ann,4125550101,4125550109\n"
        "Bob,4125550111,4125550112,4125550113,4125550114\n",
    )
    plan = await work.plan(choices(work))
    assert [look.sentence for look in plan.problems] == [
        "The numbers are those of Joe Whitfield and Ann. Leave out one.",
        "Ann has 3 other numbers; 3 are kept.",
    ]
    assert (len(plan.added[0].numbers), plan.more_numbers) == (3, 1)
    fixed = replace(choices(work), fixes={(2, "number_2"): "", (3, "number_2"): ""})
    assert (await work.plan(fixed)).problems == ()


async def test_without_a_column_for_numbers_nothing_is_done(database: Database):
    work = importer(database, "name,e-mail\nBen,ben@example.com\n")
    for step in (work.plan, work.run):
        with pytest.raises(UnusableInput, match="No column has phone numbers"):
            await step(choices(work))
    with pytest.raises(UnusableInput, match="No column has names"):
        await work.plan(Choices(("", "number"), "US"))
    with pytest.raises(UnusableInput, match="Two columns go to Name"):
        await importer(database, "a,b,c\nx,y,4125550123\n").plan(
            Choices(("name", "name", "number"), "US")
        )


async def test_numbers_of_another_region(database: Database):
    work = importer(database, "name,number\nClara,020 7946 0958\nBen,7946 0958\n")
    plan = await work.plan(replace(choices(work), region="GB"))
    assert plan.added[0].numbers == ("+442079460958",)
    assert len(plan.problems) == 1


@pytest.mark.slow
async def test_nothing_half_done(database: Database, monkeypatch: pytest.MonkeyPatch):
    rows = "".join(f"Person {each},412 555 {each:04},Group {each}\n" for each in range(1_200))
    work = importer(database, f"name,number,site\n{rows}")
    parts = []

    def fail_late(connection: sa.Connection, given: Sequence[Contact], now: float) -> None:
        write_contacts(connection, given, now)
        parts.append(len(given))
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr("people.importing.write_contacts", fail_late)
    with pytest.raises(RuntimeError):
        await work.run(choices(work))
    assert parts == [1_200]
    assert await everybody(database) == []
    groups = sa.select(sa.func.count()).select_from(contact_groups)
    assert await database.read(lambda connection: connection.scalar(groups)) == 0
    monkeypatch.undo()
    assert len((await work.run(choices(work))).added) == 1_200
    assert len(await everybody(database)) == 1_200


async def test_a_contact_that_takes_a_number_meanwhile_is_found(
    database: Database, contacts: Contacts
):
    work = importer(database, "name,number\nBen,412 555 0147\nPaul,412 555 0176\n")
    assert len((await work.plan(choices(work))).added) == 2
    await contacts.save(JOE)
    done = await work.run(choices(work))
    assert names(done.added) == ["Paul"]
    assert [look.owner for look in done.problems] == ["Joe Whitfield"]


@pytest.mark.slow
async def test_planning_may_take_long_inside_the_transaction(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
):
    """Planning 50,000 people can. PostgreSQL ends other transactions that are idle for 5 s."""
    loop = asyncio.get_running_loop()
    plans = 0

    def plan(
        candidates: Sequence[Candidate], owners: Mapping[str, Contact], chosen: Choices
    ) -> Plan:
        nonlocal plans
        plans += 1
        if plans == 1:
            # Another contact takes the number now, so the transaction has to plan again.
            asyncio.run_coroutine_threadsafe(contacts.save(JOE), loop).result(10)
        if plans == 2:
            time.sleep(6)
        return make_plan(candidates, owners, chosen)

    monkeypatch.setattr("people.importing.make_plan", plan)
    with postgres_in(postgres) as url:
        database = Database(url, metadata)
        await database.open()
        contacts = Contacts(database, REGIONS)
        work = importer(database, "name,number,notes\nJoe Whitfield,412 555 0147,Night shift\n")
        done = await work.run(choices(work))
        assert (names(done.changed), plans) == (["Joe Whitfield"], 2)
        await database.close()


async def test_what_is_exported_imports_again_as_it_was(database: Database, contacts: Contacts):
    saved = [await contacts.save(each) for each in ODD]
    exported = write_csv(saved)
    for cell in ("'=1+1", "'-Ben", "tel:+44-20-7946-0958,,12", "''=1"):
        assert cell in exported.decode("utf-8-sig")
    sheet = read_sheet(exported)
    for row in sheet.rows:
        assert row.cells[0][0] in "=-'É"
    work = Importer(database, REGIONS, sheet)
    assert await work.run(choices(work)) == Plan(unchanged=len(ODD))
    await contacts.remove([each.id for each in saved])
    assert len((await work.run(choices(work))).added) == len(ODD)
    again = {each.name: replace(each, id="") for each in await everybody(database)}
    assert again == {each.name: replace(each, id="") for each in saved}


def test_no_cell_of_an_export_is_a_formula():

    [*rows] = csv.reader(io.StringIO(write_csv(ODD).decode("utf-8-sig"), newline=""))
    assert len(rows) == len(ODD) + 1
    assert not [cell for row in rows for cell in row if cell and cell[0] in "=+-@\t\r"]


async def test_a_cell_full_of_white_space_takes_no_longer_than_another(database: Database):
    gap = " " * 19_900
    work = importer(database, f"Name,Number,Group\nBen Adeyemi,4125550101,a{gap}b\n")
    began = time.process_time()
    plan = await work.plan(choices(work))
    assert time.process_time() - began < 1
    assert [each.groups for each in plan.added] == [("a b",)]
