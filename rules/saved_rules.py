"""SavedRules: the repository of rules. Each save is a revision, and all revisions are kept."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from access.audit import write_entries
from access.audit_entry import AuditEntry
from alerts import UnusableInput
from alerts.time_zones import in_time_zone
from database.database import Database
from database.tables import insert_new
from database.transactions import database_time
from people.contacts import written
from people.names import name_key
from rules.rule import Rule, State, check_complete, check_rule, definition_of, rule_from
from rules.schedule import first_check
from rules.tables import rule_state, rule_versions, rules

DELETED = "This rule was deleted meanwhile. Save it under a name as a new one."
# Every check reads its rule, and building a statement takes as long as running it. A rule that was
# never switched on in this account has no row in `rule_state`.
KEPT = (
    sa.select(rules, rule_state.c.state)
    .select_from(
        rules.outerjoin(
            rule_state,
            sa.and_(
                rule_state.c.rule_id == rules.c.id,
                rule_state.c.account_sid == sa.bindparam("account"),
            ),
        )
    )
    .where(rules.c.deleted_at.is_(None))
)
ONE = KEPT.where(rules.c.id == sa.bindparam("rule"))
# The values of a new row of `rule_state`.
UNCHECKED: dict[str, Any] = {
    "key_columns": [],
    "check_number": 0,
    "counted_checks": 0,
    "failures": 0,
    "failure": "",
    "owner_told": "",
}


@dataclass(frozen=True, slots=True)
class Switched:
    """When a rule entered its state, and who switched it ("" if the rule stopped itself)."""

    state: State
    at: datetime
    by: str


class SavedRules:
    """The rules in a database, and their state in one Twilio account.

    `time_zone` is for rules that name none. Use it from one event loop.
    """

    def __init__(self, database: Database, account_sid: str, time_zone: str = "") -> None:
        self._database = database
        self._account_sid = account_sid
        self._time_zone = time_zone

    async def all(self) -> list[Rule]:
        """Return every rule, by name."""
        return await self._database.read(
            lambda connection: read_rules(connection, self._account_sid)
        )

    async def get(self, rule_id: str) -> Rule | None:
        """Return a rule; None if there is none with that id, or it was deleted."""
        return await self._database.read(
            lambda connection: read_rule(connection, self._account_sid, rule_id)
        )

    async def by_name(self, name: str) -> Rule | None:
        """Return the rule of a name, ignoring case; None if there is none."""
        wanted = rules.c.name_key == name_key(name)
        found = await self._database.read(
            lambda connection: read_rules(connection, self._account_sid, wanted)
        )
        return found[0] if found else None

    async def names(self, rule_ids: Sequence[str] = ()) -> dict[str, str]:
        """Return the names of all rules by id, in order; those in `rule_ids` even if deleted."""
        wanted = (
            sa.select(rules.c.id, rules.c.name)
            .where(sa.or_(rules.c.deleted_at.is_(None), rules.c.id.in_(rule_ids)))
            .order_by(rules.c.name_key)
        )
        return await self._database.read(
            lambda connection: {row.id: row.name for row in connection.execute(wanted)}
        )

    async def save(self, rule: Rule, by: str, audit: AuditEntry | None = None) -> Rule:
        """Save a rule as a new revision and return it; one without an id is new, and a draft.

        `rule.revision` is the revision that was edited. If another was saved since, raises
        `UnusableInput` about `revision`. A rule that is the same as before is left as it is. Its
        state stays. A rule that is on is checked with the new definition, so that must be complete.
        `audit` is written with it, about its id. Raises `UnusableInput` for the first field that is
        wrong, and for a `name` that is taken.
        """
        check_rule(rule)
        rule = replace(rule, name=" ".join(rule.name.split()))
        is_new = not rule.id
        now = datetime.now(UTC)
        saved = replace(
            rule,
            id=rule.id or secrets.token_hex(8),
            revision=1 if is_new else rule.revision + 1,
            changed_by=by,
            changed_at=now,
        )

        def save(connection: sa.Connection) -> Rule:
            self._refuse_taken_name(connection, saved)
            if is_new:
                insert_new(connection, rules, [_row(saved) | {"created_at": now.timestamp()}])
            else:
                before = read_rule(connection, self._account_sid, rule.id, lock=True)
                if before is None:
                    raise UnusableInput("revision", DELETED)
                if before.fingerprint == saved.fingerprint:
                    return before
                if before.revision != rule.revision:
                    raise UnusableInput("revision", self._changed_meanwhile(before))
                if before.is_checked:
                    check_complete(saved)
                connection.execute(sa.update(rules).where(rules.c.id == rule.id), _row(saved))
                if _schedule(before) != _schedule(saved):
                    self._reschedule(connection, saved)
            insert_new(connection, rule_versions, [_version(saved)])
            write_entries(connection, [replace(audit, about_id=saved.id)] if audit else [])
            found = read_rule(connection, self._account_sid, saved.id)
            return found or saved

        return await written(self._database, save)

    async def versions(self, rule_id: str) -> list[Rule]:
        """Return every revision of a rule, newest first, all with the rule's present state."""
        wanted = (
            sa.select(rule_versions)
            .where(rule_versions.c.rule_id == rule_id)
            .order_by(rule_versions.c.revision.desc())
        )

        def read(connection: sa.Connection) -> list[Rule]:
            present = read_rule(connection, self._account_sid, rule_id)
            state = present.state if present else "paused"
            return [
                _rule(row, rule_id, state) for row in connection.execute(wanted).mappings().all()
            ]

        return await self._database.read(read)

    async def delete(self, rule_id: str, by: str, audit: AuditEntry | None = None) -> None:
        """Delete a rule, in all accounts. Its alerts stay, and go on. An unknown id is no error."""

        def delete(connection: sa.Connection) -> None:
            now = database_time(connection)
            off = {"state": "paused", "state_at": now, "state_by": by, "next_check_at": None}
            connection.execute(
                sa.update(rule_state).where(rule_state.c.rule_id == rule_id).values(off)
            )
            deleted = connection.execute(
                sa.update(rules)
                .where(rules.c.id == rule_id, rules.c.deleted_at.is_(None))
                .values(deleted_at=now, changed_by=by, changed_at=now)
            )
            write_entries(connection, [audit] if audit and deleted.rowcount else [])

        await self._database.write(delete)

    async def switch_off(self, rule_id: str, by: str, audit: AuditEntry | None = None) -> None:
        """Stop checking a rule. Its episodes stay as they are until it is switched on again."""

        def switch(connection: sa.Connection) -> None:
            if read_rule(connection, self._account_sid, rule_id, lock=True) is None:
                raise UnusableInput("rule", DELETED)
            now = database_time(connection)
            switched = connection.execute(
                _of(rule_id, self._account_sid)
                .where(rule_state.c.state.in_(("on", "held")))
                .values(state="paused", state_at=now, state_by=by, next_check_at=None)
            )
            write_entries(connection, [audit] if audit and switched.rowcount else [])

        await self._database.write(switch)

    async def switched(self) -> dict[str, Switched]:
        """Return when each rule entered its state and who switched it, by the rule's id."""
        wanted = sa.select(rule_state).where(rule_state.c.account_sid == self._account_sid)

        def read(connection: sa.Connection) -> dict[str, Switched]:
            return {
                row.rule_id: Switched(
                    row.state, datetime.fromtimestamp(row.state_at, UTC), row.state_by
                )
                for row in connection.execute(wanted)
            }

        return await self._database.read(read)

    def _refuse_taken_name(self, connection: sa.Connection, rule: Rule) -> None:
        taken = sa.select(rules.c.name).where(
            rules.c.name_key == name_key(rule.name),
            rules.c.id != rule.id,
            rules.c.deleted_at.is_(None),
        )
        if name := connection.scalar(taken):
            raise UnusableInput("name", f"There is a rule {name} already: choose another name.")

    def _changed_meanwhile(self, newest: Rule) -> str:
        who = newest.changed_by or "Another person"
        at = newest.changed_at and in_time_zone(newest.changed_at, self._time_zone)
        when = f" at {at:%H:%M}" if at else ""
        return (
            f"{who} changed this rule{when}, after you had opened it. "
            "Open it again to see that, and make your change there."
        )

    def _reschedule(self, connection: sa.Connection, rule: Rule) -> None:
        """Move the next check of a rule that is on, in any account, to its new schedule."""
        now = datetime.fromtimestamp(database_time(connection), UTC)
        zone = rule.time_zone or self._time_zone
        at = first_check(rule.every_seconds, rule.at, zone, now).timestamp()
        connection.execute(
            sa.update(rule_state)
            .where(rule_state.c.rule_id == rule.id, rule_state.c.next_check_at.is_not(None))
            .values(next_check_at=at)
        )


def read_rule(
    connection: sa.Connection, account_sid: str, rule_id: str, *, lock: bool = False
) -> Rule | None:
    """Return a rule inside the caller's transaction; None if it is unknown or was deleted.

    With `lock`, no other transaction changes the rule before this one ends.
    """
    if lock and connection.dialect.name == "postgresql":
        connection.execute(sa.select(rules.c.id).where(rules.c.id == rule_id).with_for_update())
    row = connection.execute(ONE, {"account": account_sid, "rule": rule_id}).mappings().first()
    return _saved(row) if row else None


def read_rules(
    connection: sa.Connection, account_sid: str, *wanted: sa.ColumnElement[bool]
) -> list[Rule]:
    """Return the rules that meet the conditions, by name, inside the caller's transaction."""
    chosen = KEPT.where(*wanted).order_by(rules.c.name_key)
    rows = connection.execute(chosen, {"account": account_sid}).mappings().all()
    return [_saved(row) for row in rows]


def switch_on(connection: sa.Connection, account_sid: str, rule: Rule, at: float, by: str) -> None:
    """Check a rule from `at` on, in seconds since 1970; runs in the caller's transaction.

    The caller has written what is bad already as episodes of the rule's key columns.
    """
    now = database_time(connection)
    values = {
        "state": "on",
        "state_at": now,
        "state_by": by,
        "next_check_at": at,
        "key_columns": list(rule.key),
        "failures": 0,
        "failing_since": None,
        "failure": "",
        "prints": None,
    }
    insert_new(
        connection,
        rule_state,
        [{"rule_id": rule.id, "account_sid": account_sid, **UNCHECKED, **values}],
    )
    connection.execute(_of(rule.id, account_sid).values(values))


def _of(rule_id: str, account_sid: str) -> sa.Update:
    return sa.update(rule_state).where(
        rule_state.c.rule_id == rule_id, rule_state.c.account_sid == account_sid
    )


def _row(rule: Rule) -> dict[str, Any]:
    if rule.changed_at is None:
        raise ValueError("a rule is saved at a time")
    return {
        "id": rule.id,
        "name": rule.name,
        "name_key": name_key(rule.name),
        "definition": definition_of(rule),
        "revision": rule.revision,
        "changed_at": rule.changed_at.timestamp(),
        "changed_by": rule.changed_by,
    }


def _version(rule: Rule) -> dict[str, Any]:
    row = _row(rule) | {"rule_id": rule.id}
    return {column.name: row[column.name] for column in rule_versions.columns}


def _saved(row: Any) -> Rule:
    """Return the rule in a row of KEPT; without a state it is a draft."""
    return _rule(row, row["id"], row["state"] or "draft")


def _rule(row: Any, rule_id: str, state: State) -> Rule:
    return replace(
        rule_from(row["definition"]),
        id=rule_id,
        name=row["name"],
        state=state,
        revision=row["revision"],
        changed_by=row["changed_by"],
        changed_at=datetime.fromtimestamp(row["changed_at"], UTC),
    )


def _schedule(rule: Rule) -> tuple[float, str, str]:
    return rule.every_seconds, rule.at, rule.time_zone
