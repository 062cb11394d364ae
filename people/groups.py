"""Groups of contacts: made, renamed, removed, and counted."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from access.actor import Actor, Permission
from access.audit import write_entries
from access.audit_entry import Action, AuditEntry, Kind
from alerts import UnusableInput
from database.database import Database
from people.checking import check_new_group_name, read_group_name
from people.contacts import group_ids, written
from people.names import name_key
from people.tables import contact_groups, group_members


@dataclass(frozen=True, slots=True)
class Group:
    """A group's name, and how many contacts are in it."""

    name: str
    size: int = 0


class Groups:
    """The groups in a database, for an actor. Use it from one event loop.

    Methods raise `NotAllowed` where the actor lacks LOOK or, to change something, WRITE.
    """

    def __init__(self, database: Database, actor: Actor | None = None) -> None:
        """Without an `actor` it acts for the user that runs this process."""
        self._database = database
        self._actor = actor or Actor.of_process()

    async def all(self) -> list[Group]:
        """Return every group with its size, by name."""
        self._actor.require(Permission.LOOK)
        return await self._database.read(read_groups_and_sizes)

    async def add(self, name: str) -> str:
        """Make an empty group and return its name.

        Raises `UnusableInput` for a name that no group can have, or that one has already.
        """
        self._actor.require(Permission.WRITE, "add a group", Kind.GROUPS)
        wanted = read_group_name(name, "group")

        # Look outside of the write, which may run twice and would then find the group it has made.
        await self._database.read(lambda connection: _refuse_if_taken(connection, wanted))
        done = AuditEntry.by(self._actor, Action.ADDED, Kind.GROUPS, wanted, wanted)

        def add(connection: sa.Connection) -> None:
            group_ids(connection, [wanted], "group")
            write_entries(connection, [done])

        await self._database.write(add)
        return wanted

    async def rename(self, name: str, to: str) -> str:
        """Rename a group and return its new name.

        Raises `UnusableInput` for a name that no group can have, or that another one has.
        """
        self._actor.require(Permission.WRITE, "rename a group", Kind.GROUPS)
        wanted = read_group_name(to, "group")
        if name_key(wanted) != name_key(name):
            check_new_group_name(wanted, "group")
        done = AuditEntry.by(self._actor, Action.RENAMED, Kind.GROUPS, name, name, to=wanted)

        def rename(connection: sa.Connection) -> None:
            if name_key(wanted) != name_key(name):
                _refuse_if_taken(connection, wanted)
            renamed = connection.execute(
                sa.update(contact_groups)
                .where(contact_groups.c.name_key == name_key(name))
                .values(name=wanted, name_key=name_key(wanted))
            )
            write_entries(connection, [done] if renamed.rowcount else [])

        await written(self._database, rename)
        return wanted

    async def remove(self, name: str) -> None:
        """Remove a group; the contacts in it stay."""
        self._actor.require(Permission.WRITE, "remove a group", Kind.GROUPS)
        done = AuditEntry.by(self._actor, Action.REMOVED, Kind.GROUPS, name, name)

        def remove(connection: sa.Connection) -> None:
            found = sa.select(contact_groups.c.id).where(
                contact_groups.c.name_key == name_key(name)
            )
            connection.execute(sa.delete(group_members).where(group_members.c.group_id.in_(found)))
            removed = connection.execute(
                sa.delete(contact_groups).where(contact_groups.c.name_key == name_key(name))
            )
            write_entries(connection, [done] if removed.rowcount else [])

        await self._database.write(remove)


def read_groups_and_sizes(connection: sa.Connection) -> list[Group]:
    """Return every group with its size, by name."""
    sizes = (
        sa.select(group_members.c.group_id, sa.func.count().label("size"))
        .group_by(group_members.c.group_id)
        .subquery()
    )
    found = (
        sa.select(contact_groups.c.name, sa.func.coalesce(sizes.c.size, 0).label("size"))
        .outerjoin(sizes, sizes.c.group_id == contact_groups.c.id)
        .order_by(contact_groups.c.name_key)
    )
    return [Group(row.name, row.size) for row in connection.execute(found)]


def _refuse_if_taken(connection: sa.Connection, name: str) -> None:
    found = sa.select(contact_groups.c.name).where(contact_groups.c.name_key == name_key(name))
    if other := connection.scalar(found):
        raise UnusableInput("group", f"There is a group {other} already.")
