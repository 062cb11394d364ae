"""Message templates: messages with names, to be used again."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import sqlalchemy as sa

from access.actor import Actor, Permission
from access.audit import write_entries
from access.audit_entry import Action, AuditEntry, Kind
from alerts import UnusableInput
from alerts.message.compose import MOST_TEMPLATE_CHARACTERS
from database.database import Database
from database.tables import upsert
from people.checking import read_name
from people.names import name_key
from people.tables import message_templates

MOST_TEMPLATES = 200


@dataclass(frozen=True, slots=True)
class MessageTemplate:
    """A message with a name. It may hold variables such as `{{ name }}`."""

    name: str
    message: str


class Templates:
    """The message templates in a database, for an actor. Use it from one event loop.

    Methods raise `NotAllowed` where the actor lacks LOOK or, to change something, WRITE.
    """

    def __init__(self, database: Database, actor: Actor | None = None) -> None:
        """Without an `actor` it acts for the user that runs this process."""
        self._database = database
        self._actor = actor or Actor.of_process()

    async def all(self) -> list[MessageTemplate]:
        """Return every template, by name."""
        self._actor.require(Permission.LOOK)
        found = sa.select(message_templates).order_by(message_templates.c.name_key)
        return await self._database.read(
            lambda connection: [
                MessageTemplate(row.name, row.message) for row in connection.execute(found)
            ]
        )

    async def save(self, name: str, message: str) -> MessageTemplate:
        """Save a message under a name and return it; it replaces one of that name.

        Raises `UnusableInput` for an empty name or message, one that is too long, and where there
        are too many templates.
        """
        self._actor.require(Permission.WRITE, "save a template", Kind.TEMPLATES)
        template = MessageTemplate(_read_template_name(name), message)
        if not message.strip():
            raise UnusableInput("message", "Write a message first.")
        if len(message) > MOST_TEMPLATE_CHARACTERS:
            raise UnusableInput(
                "message",
                f"A template holds {MOST_TEMPLATE_CHARACTERS:,} characters; "
                f"this message has {len(message):,}.",
            )
        key, now = name_key(template.name), time.time()
        done = AuditEntry.by(self._actor, Action.CHANGED, Kind.TEMPLATES, template.name, key)

        def save(connection: sa.Connection) -> None:
            known = set(connection.scalars(sa.select(message_templates.c.name_key)))
            if key not in known and len(known) >= MOST_TEMPLATES:
                raise UnusableInput(
                    "template_name", f"There are {MOST_TEMPLATES} templates: remove one first."
                )
            values = {"name": template.name, "message": message, "updated_at": now}
            row = values | {"id": key, "name_key": key}
            upsert(connection, message_templates, row, key=("name_key",), changed=tuple(values))
            action = Action.CHANGED if key in known else Action.ADDED
            write_entries(connection, [replace(done, action=action)])

        await self._database.write(save)
        return template

    async def remove(self, name: str) -> None:
        """Remove the template of that name, if there is one."""
        self._actor.require(Permission.WRITE, "remove a template", Kind.TEMPLATES)
        removal = sa.delete(message_templates).where(message_templates.c.name_key == name_key(name))
        done = AuditEntry.by(self._actor, Action.REMOVED, Kind.TEMPLATES, name, name_key(name))

        def remove(connection: sa.Connection) -> None:
            if connection.execute(removal).rowcount:
                write_entries(connection, [done])

        await self._database.write(remove)


def _read_template_name(name: str) -> str:
    try:
        return read_name(name)
    except UnusableInput as problem:
        raise UnusableInput("template_name", str(problem)) from None
