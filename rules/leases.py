"""Which process checks which rule: a lease on the rule's state, for a few seconds at a time.

A process renews the leases of the checks that it is making. One that was killed renews none, so
another makes the check. If it only hung and goes on, its check counts for nothing any more: the
number of the rule's check is another by then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from alerts.tables import insert_new
from database.clock import database_time
from rules.saved_rules import UNCHECKED
from rules.tables import rule_state

LEASE_SECONDS = 10.0
# A check that lies further ahead than this of the clock was made before the clock was set back.
CLOCK_TOLERANCE_SECONDS = 5.0
CHECKED_STATES = ("on", "held")


@dataclass(frozen=True, slots=True)
class Claim:
    """A check that a process may make: the `number`th of the rule, due at `due`.

    `at` is when it was claimed, by the database's clock. `holder` is who has the lease.
    """

    rule_id: str
    number: int
    due: datetime
    at: datetime
    holder: str


def next_due(connection: sa.Connection, account_sid: str) -> float | None:
    """Return in how many seconds the next check is due that nobody is making; None if none is."""
    now = database_time(connection)
    wanted = sa.select(sa.func.min(rule_state.c.next_check_at)).where(*_free(account_sid, now))
    if connection.scalar(sa.select(_due(account_sid, now).exists())):
        return 0.0
    first = connection.scalar(wanted)
    return None if first is None else max(0.0, first - now)


def claim_due(connection: sa.Connection, account_sid: str, holder: str, most: int) -> list[Claim]:
    """Claim checks that are due, `most` at most, those first that have been due the longest.

    `holder` must be new. If this runs again, what it had claimed is claimed again.
    """
    now = database_time(connection)
    ours = sa.select(rule_state).where(
        rule_state.c.account_sid == account_sid, rule_state.c.leased_by == holder
    )
    rows = connection.execute(ours).mappings().all()
    if not rows:
        chosen = (
            _due(account_sid, now)
            .order_by(rule_state.c.next_check_at)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        rows = connection.execute(chosen).mappings().all()
    return [_claim(connection, account_sid, holder, row, now) for row in rows]


def claim_one(
    connection: sa.Connection, account_sid: str, holder: str, rule_id: str
) -> Claim | None:
    """Claim a check of a rule whether it is due or not; None while a process is checking it.

    A rule that was never checked gets its state: it is a draft.
    """
    now = database_time(connection)
    new = {"rule_id": rule_id, "account_sid": account_sid, **UNCHECKED}
    insert_new(connection, rule_state, [new | {"state": "draft", "state_at": now, "state_by": ""}])
    wanted = sa.select(rule_state).where(*_of(account_sid, rule_id)).with_for_update()
    row = connection.execute(wanted).mappings().one()
    is_leased = row["leased_by"] is not None and row["leased_by"] != holder
    if is_leased and now < row["leased_until"] <= now + LEASE_SECONDS + CLOCK_TOLERANCE_SECONDS:
        return None
    return _claim(connection, account_sid, holder, row, now)


def renew(connection: sa.Connection, account_sid: str, claims: Sequence[Claim]) -> None:
    """Keep the leases of checks that go on."""
    until = database_time(connection) + LEASE_SECONDS
    for each in claims:
        connection.execute(_held(account_sid, each).values(leased_until=until))


def release(connection: sa.Connection, account_sid: str, claim: Claim) -> None:
    """Give up the lease of a check that won't be finished: another process makes it at once."""
    connection.execute(_held(account_sid, claim).values(leased_by=None, leased_until=None))


def _claim(connection: sa.Connection, account_sid: str, holder: str, row: Any, now: float) -> Claim:
    number = row["check_number"] + 1
    connection.execute(
        sa.update(rule_state)
        .where(*_of(account_sid, row["rule_id"]))
        .values(leased_by=holder, leased_until=now + LEASE_SECONDS, check_number=number)
    )
    due = now if row["next_check_at"] is None else row["next_check_at"]
    return Claim(
        row["rule_id"],
        number,
        datetime.fromtimestamp(due, UTC),
        datetime.fromtimestamp(now, UTC),
        holder,
    )


def _free(account_sid: str, now: float) -> list[sa.ColumnElement[bool]]:
    """The conditions for rules that are checked, and that no process is checking at `now`."""
    return [
        rule_state.c.account_sid == account_sid,
        rule_state.c.state.in_(CHECKED_STATES),
        rule_state.c.next_check_at.is_not(None),
        sa.or_(
            rule_state.c.leased_until.is_(None),
            rule_state.c.leased_until <= now,
            # Written before the clock was set back.
            rule_state.c.leased_until > now + LEASE_SECONDS + CLOCK_TOLERANCE_SECONDS,
        ),
    ]


def _due(account_sid: str, now: float) -> sa.Select[Any]:
    is_due = sa.or_(
        rule_state.c.next_check_at <= now,
        rule_state.c.last_check_at > now + CLOCK_TOLERANCE_SECONDS,
    )
    return sa.select(rule_state).where(*_free(account_sid, now), is_due)


def _held(account_sid: str, claim: Claim) -> sa.Update:
    return sa.update(rule_state).where(
        *_of(account_sid, claim.rule_id), rule_state.c.leased_by == claim.holder
    )


def _of(account_sid: str, rule_id: str) -> list[sa.ColumnElement[bool]]:
    return [rule_state.c.account_sid == account_sid, rule_state.c.rule_id == rule_id]
