"""Finding people by the names that are typed: contacts, and the members of groups."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

import sqlalchemy as sa

from access.actor import Actor, Permission
from database.characters import can_be_kept
from database.database import Database
from database.tables import in_parts
from people.contact import Contact, Match
from people.names import name_key
from people.tables import contact_groups, contact_numbers, contacts, group_members

MOST_MATCHES = 10  # people with the same name
MOST_COMPARED = 2_000
MOST_SIMILAR = 3
# Far more than a name has.
MOST_CHARACTERS_LOOKED_UP = 1_000


class Directory:
    """The people in a database, found by name. Use it from one event loop.

    Methods raise `NotAllowed` where the actor lacks LOOK.
    """

    def __init__(self, database: Database, actor: Actor | None = None) -> None:
        """Without an `actor` it acts for the user that runs this process."""
        self._database = database
        self._actor = actor or Actor.of_process()

    async def find(self, names: Sequence[str]) -> dict[str, Match]:
        """Return what each of the names means.

        A whole name comes before a part of one: "Ben" means the contact whose whole name is Ben, if
        there is one, else everybody whose first or last name begins with Ben.
        """
        self._actor.require(Permission.LOOK)
        return await self._database.read(
            lambda connection: {
                name: _match(connection, name) if _may_be_known(name) else Match() for name in names
            }
        )

    async def of_numbers(self, numbers: Sequence[str]) -> dict[str, Contact]:
        """Return whose the numbers (as in `PhoneNumber.dialed`) are; unknown ones are left out."""
        self._actor.require(Permission.LOOK)

        def look(connection: sa.Connection) -> dict[str, Contact]:
            owners = sa.select(contact_numbers.c.number, contact_numbers.c.contact_id).where(
                contact_numbers.c.number.in_(numbers)
            )
            ids = {row.number: row.contact_id for row in connection.execute(owners)}
            found = {each.id: each for each in read_contacts(connection, list(ids.values()))}
            return {number: found[contact_id] for number, contact_id in ids.items()}

        return await self._database.read(look) if numbers else {}


def read_contacts(connection: sa.Connection, ids: Sequence[str]) -> list[Contact]:
    """Return the contacts with these ids, in this order; unknown ids are left out."""
    found: dict[str, Contact] = {}
    for some in in_parts(ids):
        found |= _read_some(connection, some)
    return [found[each] for each in dict.fromkeys(ids) if each in found]


def _read_some(connection: sa.Connection, ids: Sequence[str]) -> dict[str, Contact]:
    numbers: dict[str, list[str]] = {}
    chosen = sa.select(contact_numbers).where(contact_numbers.c.contact_id.in_(ids))
    for row in connection.execute(chosen.order_by(contact_numbers.c.position)):
        numbers.setdefault(row.contact_id, []).append(row.number)
    groups: dict[str, list[str]] = {}
    memberships = (
        sa.select(group_members.c.contact_id, contact_groups.c.name)
        .join(contact_groups, contact_groups.c.id == group_members.c.group_id)
        .where(group_members.c.contact_id.in_(ids))
        .order_by(contact_groups.c.name_key)
    )
    for row in connection.execute(memberships):
        groups.setdefault(row.contact_id, []).append(row.name)
    return {
        row.id: Contact(
            row.id,
            row.name,
            tuple(numbers.get(row.id, ())),
            row.language,
            row.time_zone,
            row.notes,
            tuple(groups.get(row.id, ())),
        )
        for row in connection.execute(sa.select(contacts).where(contacts.c.id.in_(ids)))
    }


def _may_be_known(name: str) -> bool:
    """Return whether a database can look for a name. A cell of a source may hold anything.

    SQLite looks for no pattern of more than 50,000 bytes, and PostgreSQL for none with a NUL.
    """
    return len(name) <= MOST_CHARACTERS_LOOKED_UP and can_be_kept(name)


def _match(connection: sa.Connection, name: str) -> Match:
    key = name_key(name)
    named = sa.select(contacts.c.id).order_by(contacts.c.name_key).limit(MOST_MATCHES)
    if whole := connection.scalars(named.where(contacts.c.name_key == key)).all():
        return Match(tuple(read_contacts(connection, whole)))
    group = connection.execute(
        sa.select(contact_groups).where(contact_groups.c.name_key == key)
    ).first()
    if group is not None:
        members = (
            sa.select(contacts.c.id)
            .join(group_members, group_members.c.contact_id == contacts.c.id)
            .where(group_members.c.group_id == group.id)
            .order_by(contacts.c.name_key)
        )
        ids = connection.scalars(members).all()
        return Match(tuple(read_contacts(connection, ids)), group.name)
    begins = contacts.c.name_key.startswith(key, autoescape=True)
    contains = contacts.c.name_key.contains(f" {key}", autoescape=True)
    parts = connection.scalars(named.where(sa.or_(begins, contains))).all() if key else []
    if parts:
        return Match(tuple(read_contacts(connection, parts)))
    return Match(similar=tuple(_similar(connection, key)))


def _similar(connection: sa.Connection, key: str) -> list[Contact]:
    """Return contacts with a name that begins like `key` and is spelled much like it."""
    begins = contacts.c.name_key.startswith(key[:1], autoescape=True)
    contains = contacts.c.name_key.contains(f" {key[:1]}", autoescape=True)
    alike = sa.select(contacts.c.id, contacts.c.name_key).where(sa.or_(begins, contains))
    names: dict[str, str] = {}
    for row in connection.execute(alike.limit(MOST_COMPARED)) if key else ():
        for name in (row.name_key, *row.name_key.split()):
            names.setdefault(name, row.id)
    close = get_close_matches(key, names, MOST_SIMILAR, cutoff=0.7)
    return read_contacts(connection, [names[each] for each in close])
