"""What a check found is written in one transaction: all of it, once, or nothing.

The query ran before that, outside of any transaction. The transaction verifies that the process
still has the rule's lease, that no other check was begun, and that the rule hasn't changed; then it
writes episodes, alerts, the check and when the next one is due together. So people are alerted once
per episode, even if a process dies at any moment, or two make the same check.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from access.audit import write_entries
from access.audit_entry import AuditEntry
from alerts.alert import Event
from alerts.appending import Entry, append
from alerts.sending_desk import AddAlerts
from alerts.status import Status
from alerts.tables import alerts
from database.tables import in_parts, insert_new
from rules.episodes import After, Episode
from rules.health import Health
from rules.keys import Value
from rules.leases import CHECKED_STATES, Claim
from rules.planning import Plan, alerts_to_cancel
from rules.rule import Rule
from rules.rule_state import UPDATE_EPISODE, read_open, read_state, told_together, which_episode
from rules.saved_rules import switch_on
from rules.tables import checks, episode_alerts, episodes, rule_state, rules
from rules.telling import Notice

Result = Literal["counted", "unchanged", "failed"]

MOST_CELL_CHARACTERS = 2_000
NO_LONGER_LISTED = "Canceled: no longer listed"
OPEN_ONES = sa.update(episodes).where(
    episodes.c.rule_id == sa.bindparam("rule"),
    episodes.c.account_sid == sa.bindparam("account"),
    episodes.c.is_open,
)
REVISION = (
    sa.select(rules.c.revision)
    .where(rules.c.id == sa.bindparam("rule"), rules.c.deleted_at.is_(None))
    .with_for_update()
)
WRITTEN = sa.select(checks.c.number).where(
    checks.c.rule_id == sa.bindparam("rule"),
    checks.c.account_sid == sa.bindparam("account"),
    checks.c.number == sa.bindparam("check"),
)
NEW_CHECK = sa.insert(checks)
RETURNS_TO = episodes.c.returns_to
# Statements are built once, because building one takes as long as running it.
CHANGED = (
    "state", "is_open", "since", "since_check", "returns_to", "fired_at", "over_at", "is_told",
    "reminders", "reminded_at",
)  # fmt: skip
CHANGE = UPDATE_EPISODE.values({name: sa.bindparam(name) for name in CHANGED})
CHANGE_WITH_ROW = CHANGE.values(row=sa.bindparam("row"), key=sa.bindparam("key"))


@dataclass(frozen=True, slots=True)
class Finding:
    """Everything that a check writes.

    `seconds` is how long it took, `bad` how many keys were bad, None if that isn't known. `prints`
    are the fingerprints of the sources and the rule that the query saw. `notices` are all alerts.
    If the rule is being switched on, `switched_by` is who does that, and `audit` its entry.
    """

    rule: Rule
    claim: Claim
    result: Result
    seconds: float
    next_at: datetime
    health: Health
    plan: Plan = field(default_factory=lambda: Plan(After()))
    bad: int | None = None
    prints: dict[str, str] | None = None
    notices: tuple[Notice, ...] = ()
    switched_by: str | None = None
    audit: AuditEntry | None = None


def record(connection: sa.Connection, add: AddAlerts, account_sid: str, finding: Finding) -> bool:
    """Write what a check found; false if it doesn't count, because another one came first.

    It can safely run again: nothing is written twice.
    """
    claim, rule = finding.claim, finding.rule
    if _is_written(connection, account_sid, claim):
        return True
    # Lock them in the same order as everywhere.
    revision = connection.scalar(REVISION, {"rule": rule.id})
    state = read_state(connection, account_sid, rule.id, lock=True)
    if revision != rule.revision or state is None:
        return False
    if (state["leased_by"], state["check_number"]) != (claim.holder, claim.number):
        return False
    if (state["state"] in CHECKED_STATES) is (finding.switched_by is not None):
        return False  # switched off meanwhile, or on by another person
    if finding.result != "unchanged":  # there may be one every second
        _write_check(connection, account_sid, finding)
    if finding.switched_by is not None:
        at = finding.next_at.timestamp()
        switch_on(connection, account_sid, rule, at, finding.switched_by)
        write_entries(connection, [finding.audit] if finding.audit else [])
    _write_state(connection, account_sid, finding, state)
    if finding.result == "counted":
        waiting = _write_episodes(connection, account_sid, finding)
        _cancel(connection, account_sid, waiting, finding.claim.at)
    _add_alerts(connection, add, account_sid, finding)
    return True


def _is_written(connection: sa.Connection, account_sid: str, claim: Claim) -> bool:
    wanted = {"rule": claim.rule_id, "account": account_sid, "check": claim.number}
    return connection.scalar(WRITTEN, wanted) is not None


def _write_check(connection: sa.Connection, account_sid: str, finding: Finding) -> None:
    after = finding.plan.after
    row = {
        "rule_id": finding.rule.id,
        "account_sid": account_sid,
        "number": finding.claim.number,
        "at": finding.claim.at.timestamp(),
        "seconds": finding.seconds,
        "revision": finding.rule.revision,
        "result": finding.result,
        "failure": finding.health.failure,
        "bad": finding.bad,
        "new": len(after.began),
        "fired": len(after.fired),
        "held": len(after.held),
        "over": len(after.over),
    }
    connection.execute(NEW_CHECK, row)


def _write_state(connection: sa.Connection, account_sid: str, finding: Finding, state: Any) -> None:
    health = finding.health
    values: dict[str, Any] = {
        "next_check_at": finding.next_at.timestamp(),
        "leased_by": None,
        "leased_until": None,
        "last_check_at": finding.claim.at.timestamp(),
        "last_seconds": finding.seconds,
        "failures": health.failures,
        "failing_since": health.failing_since,
        "failure": health.failure,
        "owner_told": health.owner_told,
        "owner_told_at": health.owner_told_at,
    }
    if finding.result == "failed":
        values |= {"bad": None, "prints": None}
    else:
        values["counted_checks"] = state["counted_checks"] + 1
    if finding.result == "counted":
        after = finding.plan.after
        values |= {
            "bad": finding.bad,
            "prints": finding.prints,
            "key_columns": list(finding.rule.key),
            "gathered_until": after.gathered_until,
        }
        if after.is_flood:
            at = finding.claim.at.timestamp()
            values |= {"state": "held", "state_at": at, "state_by": ""}
    connection.execute(
        sa.update(rule_state)
        .where(rule_state.c.rule_id == finding.rule.id, rule_state.c.account_sid == account_sid)
        .values(values)
    )


def _write_episodes(
    connection: sa.Connection, account_sid: str, finding: Finding
) -> frozenset[str]:
    """Write the episodes that changed; returns the waiting alerts whose episodes are all over."""
    plan, rule_id = finding.plan, finding.rule.id
    ours = {"rule": rule_id, "account": account_sid}
    if plan.ends_all:
        ended = {
            "state": "over",
            "is_open": False,
            "over_at": finding.claim.at.timestamp(),
            # Needed by rules with `once_ever`.
            "returns_to": sa.case((episodes.c.state == "known", "known"), else_=RETURNS_TO),
        }
        connection.execute(OPEN_ONES.values(ended), ours)
    before = read_open(connection, account_sid, rule_id) if plan.after.over else {}
    began = set(plan.after.began)
    new, changed, with_rows = list[Any](), list[Any](), list[Any]()
    for each in plan.episodes:
        case = plan.cases.get(each.key_hash)
        row = {
            **{name: getattr(each, name) for name in CHANGED if name != "is_open"},
            "is_open": each.is_open,
        }
        if each.key_hash in began and case is not None:
            row |= {"rule_id": rule_id, "account_sid": account_sid, "began_at": each.began_at}
            row |= {"key_hash": each.key_hash, "number": each.number}
            row |= _words(each, plan)
            new.append(row)
            continue
        row |= which_episode(account_sid, rule_id, each)
        if case is not None and case.is_bad:
            row |= _words(each, plan)
            with_rows.append(row)
        else:
            changed.append(row)
    for statement, rows in (
        (sa.insert(episodes), new),
        (CHANGE, changed),
        (CHANGE_WITH_ROW, with_rows),
    ):
        if rows:
            connection.execute(statement, rows)
    if not plan.after.over:
        return frozenset()
    return _waiting_in_vain(connection, account_sid, finding, before)


def _words(episode: Episode, plan: Plan) -> dict[str, Any]:
    """Return what to keep of the row, to show it and perhaps tell people later."""
    # No one is told of known keys, and there may be thousands of them.
    row = {} if episode.state == "known" else plan.cells[episode.key_hash]
    return {
        "key": {name: _kept(value) for name, value in plan.cases[episode.key_hash].values.items()},
        "row": {name: _kept(value) for name, value in row.items()},
    }


def _kept(value: Value) -> Value:
    """Return a cell as a JSON value; long texts are cut."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value[:MOST_CELL_CHARACTERS] if isinstance(value, str) else value


def _waiting_in_vain(
    connection: sa.Connection,
    account_sid: str,
    finding: Finding,
    before: dict[str, Episode],
) -> frozenset[str]:
    """Return the waiting alerts whose episodes are all over by now."""
    found: set[str] = set()
    over = {key: before[key].number for key in finding.plan.after.over if key in before}
    for some in in_parts(list(over)):
        wanted = (
            sa.select(alerts.c.id, episode_alerts.c.key_hash, episode_alerts.c.number)
            .select_from(
                episode_alerts.join(
                    alerts,
                    sa.and_(
                        alerts.c.id == episode_alerts.c.alert_id,
                        alerts.c.account_sid == episode_alerts.c.account_sid,
                    ),
                )
            )
            .where(
                episode_alerts.c.rule_id == finding.rule.id,
                episode_alerts.c.account_sid == account_sid,
                episode_alerts.c.key_hash.in_(some),
                episode_alerts.c.kind.in_(("firing", "reminder")),
                alerts.c.is_open,
                alerts.c.status == Status.QUEUED.value,
            )
        )
        found |= {row.id for row in connection.execute(wanted) if over[row.key_hash] == row.number}
    about = told_together(connection, account_sid, found)
    return alerts_to_cancel(found, about, before, finding.plan.after)


def _cancel(
    connection: sa.Connection, account_sid: str, alert_ids: frozenset[str], at: datetime
) -> None:
    """Cancel waiting alerts. One whose try has just begun goes on."""
    if not alert_ids:
        return
    wanted = (
        sa.select(alerts.c.id, alerts.c.try_number)
        .where(
            alerts.c.account_sid == account_sid,
            alerts.c.id.in_(alert_ids),
            alerts.c.status == Status.QUEUED.value,
        )
        .order_by(alerts.c.id)
        .with_for_update()
    )
    entries = [
        Entry(
            row.id,
            Event(at, None, NO_LONGER_LISTED, try_number=row.try_number, canceling=True),
        )
        for row in connection.execute(wanted)
    ]
    if entries:
        append(connection, account_sid, entries)


def _add_alerts(
    connection: sa.Connection, add: AddAlerts, account_sid: str, finding: Finding
) -> None:
    notices = (*finding.plan.notices, *finding.notices)
    if not notices:
        return
    if finding.plan.notices:
        add([each.request for each in finding.plan.notices])
    if finding.notices:
        # With `confirmed`, the owner hears what is wrong even if the rule has reached its hourly
        # limit.
        add([each.request for each in finding.notices], confirmed=True)
    rows = [
        {
            "alert_id": notice.request.id,
            "account_sid": account_sid,
            "rule_id": finding.rule.id,
            "key_hash": key,
            "number": number,
            "kind": notice.kind,
        }
        for notice in notices
        for key, number in notice.episodes
    ]
    if rows:
        insert_new(connection, episode_alerts, rows)
