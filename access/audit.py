"""The audit trail: what people did, saved in the same transaction; administrators read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from access.actor import Actor, Permission
from access.audit_entry import Action, AuditEntry, Kind, first_id
from access.tables import audit
from database.database import Database
from database.tables import insert_new
from database.transactions import database_time

SECONDS_A_DAY = 24 * 3600.0
# Small, so that others can write between these transactions.
MOST_DELETED_AT_ONCE = 500
# How many people the filter offers, the most recently active ones.
MOST_ACTORS = 200
MOST_ENTRIES_SEARCHED_FOR_ACTORS = 20_000


@dataclass(frozen=True, slots=True)
class AuditFilters:
    """Which entries to list: of an actor, about a kind, with a text in a name; "" is any.

    They are from `since` on and before `until`, where these aren't None.
    """

    actor: str = ""
    kind: Kind | None = None
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Some entries, newest first, and whether there are older and newer ones."""

    entries: tuple[AuditEntry, ...]
    has_older: bool
    has_newer: bool


class Audit:
    """The audit trail in a database, for an actor. Use it from one event loop.

    Recording takes no permission. Reading takes ADMINISTER, and raises `NotAllowed` without it.
    """

    def __init__(self, database: Database, actor: Actor | None = None) -> None:
        """Without an `actor` it acts for the user that runs this process."""
        self._database = database
        self._actor = actor or Actor.of_process()

    async def record(
        self, action: Action, kind: Kind, about: str = "", about_id: str = "", **details: str | int
    ) -> None:
        """Record what the actor has done, if nothing else of it is in the database."""
        entry = AuditEntry.by(self._actor, action, kind, about, about_id, **details)
        await self._database.write_together(_write_all, entry)

    async def page(
        self, filters: AuditFilters, *, before: str = "", after: str = "", limit: int = 50
    ) -> AuditPage:
        """Return a page of entries, newest first: older than the id `before`, newer than `after`.

        Without either, return the newest ones.
        """
        self._actor.require(Permission.ADMINISTER, "see who did what")
        return await self._database.read(
            lambda connection: read_page(connection, filters, before, after, limit)
        )

    async def actors(self) -> list[str]:
        """Return the names of the people who did something most recently, sorted."""
        self._actor.require(Permission.ADMINISTER, "see who did what")
        latest = (
            sa.select(audit.c.actor)
            .order_by(audit.c.id.desc())
            .limit(MOST_ENTRIES_SEARCHED_FOR_ACTORS)
            .subquery()
        )
        found = sa.select(latest.c.actor).distinct().limit(MOST_ACTORS)
        names = await self._database.read(lambda connection: list(connection.scalars(found)))
        return sorted(names, key=str.casefold)


def write_entries(connection: sa.Connection, entries: Sequence[AuditEntry]) -> None:
    """Write entries in the transaction that does what they describe.

    An entry that is there already, because the transaction runs again, stays as it is.
    """
    if not entries:
        return
    insert_new(connection, audit, [_row(each) for each in entries])


def read_page(
    connection: sa.Connection, filters: AuditFilters, before: str, after: str, limit: int
) -> AuditPage:
    """Return a page of entries, newest first, inside the caller's transaction."""
    wanted = sa.select(audit).where(*_conditions(filters))
    if after and not before:
        chosen = wanted.where(audit.c.id > after).order_by(audit.c.id)
    else:
        older = wanted.where(audit.c.id < before) if before else wanted
        chosen = older.order_by(audit.c.id.desc())
    found = [_entry(row) for row in connection.execute(chosen.limit(limit + 1)).mappings()]
    has_more, found = len(found) > limit, found[:limit]
    if after and not before:
        return AuditPage(tuple(reversed(found)), has_older=True, has_newer=has_more)
    return AuditPage(tuple(found), has_older=has_more, has_newer=bool(before))


async def delete_old_entries(database: Database, keep_days: int) -> int:
    """Delete some entries from before `keep_days` ago; returns how many, 0 once none are left."""

    def delete(connection: sa.Connection) -> int:
        first = datetime.fromtimestamp(database_time(connection) - keep_days * SECONDS_A_DAY, UTC)
        old = sa.select(audit.c.id).where(audit.c.id < first_id(first)).order_by(audit.c.id)
        chosen = old.limit(MOST_DELETED_AT_ONCE)
        return connection.execute(sa.delete(audit).where(audit.c.id.in_(chosen))).rowcount

    return await database.write(delete)


def _write_all(connection: sa.Connection, entries: Sequence[AuditEntry]) -> list[None]:
    write_entries(connection, entries)
    return [None] * len(entries)


def _conditions(filters: AuditFilters) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if filters.actor:
        found.append(audit.c.actor == filters.actor)
    if filters.kind:
        found.append(audit.c.kind == filters.kind.name)
    if filters.since:
        found.append(audit.c.id >= first_id(filters.since))
    if filters.until:
        found.append(audit.c.id < first_id(filters.until))
    if filters.text:
        names = (audit.c.about, audit.c.actor, audit.c.about_id)
        found.append(sa.or_(*(each.icontains(filters.text, autoescape=True) for each in names)))
    return found


def _row(entry: AuditEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": entry.at.timestamp(),
        "actor": entry.actor,
        "place": entry.place,
        "action": entry.action.name,
        "kind": entry.kind.name,
        "about_id": entry.about_id,
        "about": entry.about,
        "details": dict(entry.details),
    }


def _entry(row: sa.RowMapping) -> AuditEntry:
    return AuditEntry(
        row["id"],
        datetime.fromtimestamp(row["at"], UTC),
        row["actor"],
        row["place"],
        Action[row["action"]],
        Kind[row["kind"]],
        row["about_id"],
        row["about"],
        row["details"],
    )
