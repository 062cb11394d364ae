"""Saving contacts: each is checked, and has up to three numbers that no other contact has."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeVar

import sqlalchemy as sa

from access.actor import Actor, Permission
from access.audit import write_entries
from access.audit_entry import Action, AuditEntry, Kind
from alerts import UnusableInput
from alerts.phone_numbers import Regions, split_dialed
from alerts.time_zones import in_time_zone, time_zones
from database.database import Database
from database.tables import in_parts, insert_new
from people.checking import NUMBER_FIELDS, check_contact, check_new_group_name, read_group_name
from people.contact import Contact
from people.directory import read_contacts
from people.names import name_key, number_of_people
from people.tables import contact_groups, contact_numbers, contacts, group_members

REMOVED = "This person was removed in the meantime. Close this, and add them again."

Result = TypeVar("Result")


class Contacts:
    """The contacts in a database, for an actor. Use it from one event loop.

    Methods raise `NotAllowed` where the actor lacks LOOK or, to change something, WRITE.
    """

    def __init__(self, database: Database, regions: Regions, actor: Actor | None = None) -> None:
        """National numbers are read in `regions.default`; only `regions.allowed` are accepted.

        Without an `actor` it acts for the user that runs this process.
        """
        self._database = database
        self._regions = regions
        self._actor = actor or Actor.of_process()

    async def get(self, ids: Sequence[str]) -> list[Contact]:
        """Return the contacts with these ids, in this order; unknown ids are left out."""
        self._actor.require(Permission.LOOK)
        return await self._database.read(lambda connection: read_contacts(connection, ids))

    async def check(self, typed: Contact) -> dict[str, UnusableInput]:
        """Return what `save` would refuse, by field; see `check_contact`."""
        self._actor.require(Permission.LOOK)
        checked, problems = check_contact(typed, self._regions)
        owned = await self._database.read(lambda connection: taken(connection, checked))
        return {each.field: each for each in owned} | problems

    async def save(self, typed: Contact) -> Contact:
        """Save a contact and return it; one without an id is new.

        Groups that don't exist yet are made. Raises `UnusableInput`, which names the first field
        that is wrong: see `check_contact`, and `name` if the contact was removed meanwhile.
        """
        self._actor.require(Permission.WRITE, "save a person", Kind.PEOPLE)
        checked, problems = check_contact(typed, self._regions)
        for problem in problems.values():
            raise problem
        contact = replace(checked, id=checked.id or secrets.token_hex(8))
        is_new, now = not checked.id, time.time()
        action = Action.ADDED if is_new else Action.CHANGED
        done = AuditEntry.by(self._actor, action, Kind.PEOPLE, contact.name, contact.id)

        def save(connection: sa.Connection) -> None:
            for problem in taken(connection, contact):
                raise problem
            known = sa.select(contacts.c.id).where(contacts.c.id == contact.id)
            if not is_new and connection.execute(known).first() is None:
                raise UnusableInput("name", REMOVED)
            write_contacts(connection, [contact], now)
            write_entries(connection, [done])

        await written(self._database, save)
        return contact

    async def remove(self, ids: Sequence[str]) -> int:
        """Remove contacts and return how many there were. Their alerts stay, and go on."""
        self._actor.require(Permission.WRITE, "remove people", Kind.PEOPLE)
        done = AuditEntry.by(self._actor, Action.REMOVED, Kind.PEOPLE)

        def remove(connection: sa.Connection) -> int:
            found = read_contacts(connection, ids)
            removed = _remove(connection, ids)
            write_entries(connection, [_about(done, found)] if found else [])
            return removed

        return await self._database.write(remove)

    async def put_into(self, ids: Sequence[str], group: str) -> int:
        """Put contacts into a group, which is made if need be; returns how many were new to it.

        Raises `UnusableInput` for a name that no group can have.
        """
        self._actor.require(Permission.WRITE, "put people into a group", Kind.PEOPLE)
        name = read_group_name(group, "group")
        done = AuditEntry.by(self._actor, Action.PUT_INTO, Kind.PEOPLE, group=name)

        def put(connection: sa.Connection) -> int:
            people = read_contacts(connection, ids)
            found = [each.id for each in people]
            group_id = group_ids(connection, [name], "group")[name_key(name)]
            before = _size(connection, group_id)
            for some in in_parts(found):
                rows = [{"group_id": group_id, "contact_id": each} for each in some]
                insert_new(connection, group_members, rows)
            write_entries(connection, [_about(done, people)] if people else [])
            return _size(connection, group_id) - before

        return await written(self._database, put)

    async def take_out(self, ids: Sequence[str], group: str) -> int:
        """Take contacts out of a group; returns how many were in it."""
        self._actor.require(Permission.WRITE, "take people out of a group", Kind.PEOPLE)
        done = AuditEntry.by(self._actor, Action.TAKEN_OUT, Kind.PEOPLE, group=group)

        def take(connection: sa.Connection) -> int:
            of_group = sa.select(contact_groups.c.id).where(
                contact_groups.c.name_key == name_key(group)
            )
            group_id = connection.scalar(of_group) or ""
            before = _size(connection, group_id)
            for some in in_parts(ids):
                connection.execute(
                    sa.delete(group_members).where(
                        group_members.c.group_id == group_id, group_members.c.contact_id.in_(some)
                    )
                )
            taken_out = before - _size(connection, group_id)
            people = read_contacts(connection, ids)
            write_entries(connection, [_about(done, people)] if taken_out else [])
            return taken_out

        return await self._database.write(take)


async def written(database: Database, work: Callable[[sa.Connection], Result]) -> Result:
    """Do `database.write`, once more if another process took a number or a name meanwhile.

    The second time `work` finds what is taken, and can say so.
    """
    try:
        return await database.write(work)
    except sa.exc.IntegrityError:
        return await database.write(work)


def taken(connection: sa.Connection, contact: Contact) -> list[UnusableInput]:
    """Return a sentence for each of the contact's numbers that belongs to another contact."""
    owners = (
        sa.select(contact_numbers.c.number, contacts.c.name)
        .join(contacts, contacts.c.id == contact_numbers.c.contact_id)
        .where(contact_numbers.c.number.in_(contact.numbers), contacts.c.id != contact.id)
    )
    names = {row.number: row.name for row in connection.execute(owners)}
    return [
        UnusableInput(field, f"This is the number of {names[number]}. A number is one person's.")
        for field, number in zip(NUMBER_FIELDS, contact.numbers, strict=False)
        if number in names
    ]


def write_contacts(connection: sa.Connection, given: Sequence[Contact], now: float) -> None:
    """Write checked contacts with their numbers and groups, replacing what was there of them.

    All have an id. Groups that don't exist yet are made. `now` is in seconds since 1970. Raises
    `UnusableInput` like `group_ids`.
    """
    names = {name_key(name): name for each in given for name in each.groups}
    groups = group_ids(connection, list(names.values()))
    created: dict[str, float] = {}
    for some in in_parts([each.id for each in given]):
        known = sa.select(contacts.c.id, contacts.c.created_at).where(contacts.c.id.in_(some))
        created |= {row.id: row.created_at for row in connection.execute(known)}
    _remove(connection, list(created))
    _insert(
        connection,
        contacts,
        [_row(each, now) | {"created_at": created.get(each.id, now)} for each in given],
    )
    _insert(
        connection,
        contact_numbers,
        [
            {"contact_id": each.id, "position": position, "number": number}
            for each in given
            for position, number in enumerate(each.numbers, start=1)
        ],
    )
    _insert(
        connection,
        group_members,
        [
            {"group_id": groups[name_key(name)], "contact_id": each.id}
            for each in given
            for name in each.groups
        ],
    )


def _insert(
    connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, object]]
) -> None:
    """Insert rows that have every column.

    PostgreSQL gets them as one JSON text: row by row, 50,000 people would take longer than a
    transaction is allowed.
    """
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.execute(sa.insert(table), rows)
        return
    names = ", ".join(column.name for column in table.columns)
    # Safe to format in: the names are the table's own.
    statement = (
        f"INSERT INTO {table.name} ({names}) SELECT {names} "  # noqa: S608
        f"FROM json_populate_recordset(NULL::{table.name}, CAST(:rows AS json))"
    )
    connection.execute(sa.text(statement), {"rows": json.dumps(rows)})


def group_ids(
    connection: sa.Connection, names: Sequence[str], field: str = "groups"
) -> dict[str, str]:
    """Return the ids of groups by `name_key`; those that don't exist yet are made.

    Raises `UnusableInput` about `field` for a name that no new group can have.
    """
    new = new_groups(connection, names, field)
    rows = [{"id": secrets.token_hex(8), "name": each, "name_key": name_key(each)} for each in new]
    for some in in_parts(rows):
        insert_new(connection, contact_groups, some)
    return _ids_of_groups(connection)


def new_groups(connection: sa.Connection, names: Sequence[str], field: str = "groups") -> list[str]:
    """Return the names of groups that don't exist yet.

    Raises `UnusableInput` about `field` for a name that no new group can have.
    """
    known = _ids_of_groups(connection)
    new = [each for each in names if name_key(each) not in known]
    for each in new:
        check_new_group_name(each, field)
    return new


def _ids_of_groups(connection: sa.Connection) -> dict[str, str]:
    return {row.name_key: row.id for row in connection.execute(sa.select(contact_groups))}


def clock_zone(contact: Contact) -> str:
    """Return the zone of the contact's clock: as entered, or that of the first number, or "".

    Some numbers belong to a whole country with several times of day, such as toll-free ones.
    """
    if contact.time_zone or not contact.numbers:
        return contact.time_zone
    e164, _ = split_dialed(contact.numbers[0])
    return _zone_of_number(e164)


# An import looks up the zones of all its numbers before it writes, to keep the transaction short.
@lru_cache(maxsize=100_000)
def _zone_of_number(e164: str) -> str:
    zones = time_zones(e164)
    clocks = {_offsets(str(zone)) for zone in zones}
    return str(zones[0]) if len(clocks) == 1 and str(zones[0]) != "UTC" else ""


@lru_cache(maxsize=1000)
def _offsets(zone: str) -> tuple[object, ...]:
    """Return a zone's offset from UTC in each month: zones that agree show the same time."""
    year = datetime.now(UTC).year
    months = [datetime(year, month, 1, tzinfo=UTC) for month in range(1, 13)]
    return tuple(in_time_zone(month, zone).utcoffset() for month in months)


def _row(contact: Contact, now: float) -> dict[str, object]:
    return {
        "id": contact.id,
        "name": contact.name,
        "name_key": name_key(contact.name),
        "language": contact.language,
        "time_zone": contact.time_zone,
        "clock_zone": clock_zone(contact),
        "notes": contact.notes,
        "updated_at": now,
    }


def _remove(connection: sa.Connection, ids: Sequence[str]) -> int:
    removed = 0
    for some in in_parts(ids):
        for table in (contact_numbers, group_members):
            connection.execute(sa.delete(table).where(table.c.contact_id.in_(some)))
        removed += connection.execute(sa.delete(contacts).where(contacts.c.id.in_(some))).rowcount
    return removed


def _about(entry: AuditEntry, people: Sequence[Contact]) -> AuditEntry:
    """Return an entry of the audit trail that is about these people."""
    if len(people) == 1:
        return replace(entry, about=people[0].name, about_id=people[0].id)
    return replace(entry, about=number_of_people(len(people)))


def _size(connection: sa.Connection, group_id: str) -> int:
    counting = sa.select(sa.func.count()).where(group_members.c.group_id == group_id)
    return connection.scalar(counting) or 0
