"""Which process checks which rule: a lease on the rule's state, for a few seconds at a time.

A process renews the leases of the checks that it is making. A killed process renews none, so
another makes the check. If the process only hung and then goes on, its check doesn't count, because
the rule's check number has changed meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from database.tables import insert_new
from database.transactions import database_time
from rules.saved_rules import UNCHECKED
from rules.tables import rule_state

LEASE_SECONDS = 10.0
# A check that is due later than this was planned before the clock was set back.
CLOCK_TOLERANCE_SECONDS = 5.0
CHECKED_STATES = ("on", "held")

# Statements are built once, because building one takes as long as running it. `_free` selects the
# rules that are on and that no process is checking. A lease that ends later than any can was
# written before the clock was set back, so it counts as over.
_free = (
    rule_state.c.account_sid == sa.bindparam("account"),
    rule_state.c.state.in_(CHECKED_STATES),
    rule_state.c.next_check_at.is_not(None),
    sa.or_(
        rule_state.c.leased_until.is_(None),
        rule_state.c.leased_until <= sa.bindparam("now"),
        rule_state.c.leased_until > sa.bindparam("later"),
    ),
)
NEXT_DUE = sa.select(
    sa.func.min(rule_state.c.next_check_at).label("first"),
    sa.func.max(rule_state.c.last_check_at).label("last"),
).where(*_free)
DUE = (
    sa.select(rule_state)
    .where(
        *_free,
        sa.or_(
            rule_state.c.next_check_at <= sa.bindparam("now"),
            rule_state.c.last_check_at > sa.bindparam("soon"),
        ),
    )
    .order_by(rule_state.c.next_check_at)
    .limit(sa.bindparam("most"))
    .with_for_update(skip_locked=True)
)
OURS = sa.select(rule_state).where(
    rule_state.c.account_sid == sa.bindparam("account"),
    rule_state.c.leased_by == sa.bindparam("holder"),
)
HELD = sa.update(rule_state).where(
    rule_state.c.rule_id == sa.bindparam("of_rule"),
    rule_state.c.account_sid == sa.bindparam("of_account"),
    rule_state.c.leased_by == sa.bindparam("of_holder"),
)
RENEW = HELD.values(leased_until=sa.bindparam("until"))
CLAIM = (
    sa.update(rule_state)
    .where(
        rule_state.c.rule_id == sa.bindparam("of_rule"),
        rule_state.c.account_sid == sa.bindparam("of_account"),
    )
    .values(
        leased_by=sa.bindparam("holder"),
        leased_until=sa.bindparam("until"),
        check_number=sa.bindparam("number"),
    )
)


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
    """Return in how many seconds the next check that no process is making is due, or None."""
    now = database_time(connection)
    wanted = _now(account_sid, now)
    row = connection.execute(NEXT_DUE, wanted).one()
    if row.first is None:
        return None
    is_behind = row.last is not None and row.last > wanted["soon"]
    return 0.0 if is_behind else max(0.0, row.first - now)


def claim_due(connection: sa.Connection, account_sid: str, holder: str, most: int) -> list[Claim]:
    """Claim checks that are due, `most` at most, the longest overdue first.

    `holder` must be new. If the transaction runs again, it claims the same checks.
    """
    now = database_time(connection)
    ours = {"account": account_sid, "holder": holder}
    rows = connection.execute(OURS, ours).mappings().all()
    if not rows:
        wanted = _now(account_sid, now) | {"most": most}
        rows = connection.execute(DUE, wanted).mappings().all()
    return [_claim(connection, account_sid, holder, row, now) for row in rows]


def claim_one(
    connection: sa.Connection, account_sid: str, holder: str, rule_id: str
) -> Claim | None:
    """Claim a check of a rule whether it is due or not; None while a process is checking it.

    A rule that was never checked gets its row of `rule_state`, as a draft.
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
    """Renew the leases of checks that go on."""
    until = database_time(connection) + LEASE_SECONDS
    connection.execute(RENEW, [_of_claim(account_sid, each) | {"until": until} for each in claims])


def release(connection: sa.Connection, account_sid: str, claim: Claim) -> None:
    """Give up the lease of a check that won't be finished: another process makes it at once."""
    ended = HELD.values(leased_by=None, leased_until=None)
    connection.execute(ended, _of_claim(account_sid, claim))


def _claim(connection: sa.Connection, account_sid: str, holder: str, row: Any, now: float) -> Claim:
    number = row["check_number"] + 1
    connection.execute(
        CLAIM,
        {
            "of_rule": row["rule_id"],
            "of_account": account_sid,
            "holder": holder,
            "until": now + LEASE_SECONDS,
            "number": number,
        },
    )
    due = now if row["next_check_at"] is None else row["next_check_at"]
    return Claim(
        row["rule_id"],
        number,
        datetime.fromtimestamp(due, UTC),
        datetime.fromtimestamp(now, UTC),
        holder,
    )


def _now(account_sid: str, now: float) -> dict[str, Any]:
    """The parameters of DUE and NEXT_DUE."""
    soon = now + CLOCK_TOLERANCE_SECONDS
    return {"account": account_sid, "now": now, "soon": soon, "later": soon + LEASE_SECONDS}


def _of_claim(account_sid: str, claim: Claim) -> dict[str, Any]:
    """The parameters of HELD."""
    return {"of_rule": claim.rule_id, "of_account": account_sid, "of_holder": claim.holder}


def _of(account_sid: str, rule_id: str) -> list[sa.ColumnElement[bool]]:
    return [rule_state.c.account_sid == account_sid, rule_state.c.rule_id == rule_id]
