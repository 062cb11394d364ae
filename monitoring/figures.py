"""The figures of one account, counted in the database with its indexes."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import get_args

import sqlalchemy as sa

from alerts.alert import Channel
from alerts.claims import DEAD_AFTER_SECONDS
from alerts.records import position_at
from alerts.status import Stage, Status
from alerts.submissions import Outcome
from alerts.tables import alerts, submissions, workers
from database.transactions import database_time
from rules.rule import State
from rules.tables import rule_state, rules

CHANNELS: tuple[Channel, ...] = get_args(Channel)
HOUR_SECONDS = 3600.0
# Each of these is reported even if it is 0, so that "none" doesn't look like a missing figure.
MODES = ("worker", "app")
STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one account. Keys are the words of labels.

    `open` and `submissions` are by channel and status or outcome, `last_day` by channel and stage.
    `waiting` is by what is waited for: a `worker` that claims it, its `turn`, or its `time`.
    """

    open: Mapping[tuple[str, str], int]
    waiting: Mapping[str, int]
    oldest_seconds: Mapping[str, float]
    last_day: Mapping[tuple[str, str], int]
    submissions: Mapping[tuple[str, str], int]
    workers: Mapping[str, int]
    rules: Mapping[str, int]
    rules_failing: int
    rules_overdue_seconds: float


def read_figures(connection: sa.Connection, account_sid: str) -> Figures:
    """Count everything for one account."""
    open_, waiting, oldest_seconds = _open_alerts(connection, account_sid)
    states, failing, overdue_seconds = _rules(connection, account_sid)
    return Figures(
        open_,
        waiting,
        oldest_seconds,
        _last_day(connection, account_sid),
        _submissions(connection, account_sid),
        _workers(connection, account_sid),
        states,
        failing,
        overdue_seconds,
    )


def word_of(value: str) -> str:
    """Return one of our values as a label's value, in one word."""
    return value.replace(" ", "_")


def _open_alerts(
    connection: sa.Connection, account_sid: str
) -> tuple[dict[tuple[str, str], int], dict[str, int], dict[str, float]]:
    now = time.time()
    grouped = (
        sa.select(
            alerts.c.channel,
            alerts.c.status,
            alerts.c.claimed_by.is_(None).label("is_free"),
            (alerts.c.due_at <= now).label("is_due"),
            sa.func.count().label("alerts"),
            sa.func.min(alerts.c.due_at).label("oldest"),
        )
        .where(alerts.c.account_sid == account_sid, alerts.c.is_open)
        .group_by(sa.text("1, 2, 3, 4"))
    )
    found: defaultdict[tuple[str, str], int] = defaultdict(int)
    for channel in CHANNELS:
        for status in Status:
            if not status.final:
                found[channel, status.value] = 0
    waiting = {"worker": 0, "turn": 0, "time": 0}
    oldest_seconds = {"worker": 0.0, "turn": 0.0}
    for row in connection.execute(grouped):
        found[row.channel, row.status] += row.alerts
        if row.is_free:
            reason = "worker" if row.is_due else "time"
        elif row.status == Status.QUEUED:
            reason = "turn" if row.is_due else "time"
        else:
            continue  # it is under way
        waiting[reason] += row.alerts
        if reason in oldest_seconds:
            oldest_seconds[reason] = max(oldest_seconds[reason], now - row.oldest)
    return dict(found), waiting, oldest_seconds


def _last_day(connection: sa.Connection, account_sid: str) -> dict[tuple[str, str], int]:
    first = position_at(datetime.now(UTC) - timedelta(days=1))
    # Each reads its own part of the index alerts_by_stage, and no table rows.
    parts = [
        sa.select(
            sa.literal(channel).label("channel"),
            sa.literal(stage.value).label("stage"),
            sa.func.count().label("alerts"),
        ).where(
            alerts.c.stage == stage.value,
            alerts.c.account_sid == account_sid,
            alerts.c.channel == channel,
            alerts.c.position >= first,
        )
        for channel in CHANNELS
        for stage in Stage
    ]
    return {
        (row.channel, word_of(row.stage)): row.alerts
        for row in connection.execute(sa.union_all(*parts))
    }


def _submissions(connection: sa.Connection, account_sid: str) -> dict[tuple[str, str], int]:
    grouped = (
        sa.select(
            submissions.c.channel,
            sa.func.coalesce(submissions.c.outcome, "open").label("outcome"),
            sa.func.count().label("submissions"),
        )
        .where(
            submissions.c.at >= time.time() - HOUR_SECONDS,
            submissions.c.account_sid == account_sid,
        )
        .group_by(sa.text("1, 2"))
    )
    outcomes = ("open", *(each.value for each in Outcome))
    found = {(channel, outcome): 0 for channel in CHANNELS for outcome in outcomes}
    for row in connection.execute(grouped):
        found[row.channel, row.outcome] = row.submissions
    return {(channel, word_of(outcome)): count for (channel, outcome), count in found.items()}


def _workers(connection: sa.Connection, account_sid: str) -> dict[str, int]:
    now = database_time(connection)
    grouped = (
        sa.select(workers.c.mode, sa.func.count())
        .where(
            workers.c.account_sid == account_sid,
            workers.c.seen_at.between(now - DEAD_AFTER_SECONDS, now + DEAD_AFTER_SECONDS),
        )
        .group_by(workers.c.mode)
    )
    found = dict.fromkeys(MODES, 0)
    for mode, count in connection.execute(grouped):
        found[mode] = count
    return found


def _rules(connection: sa.Connection, account_sid: str) -> tuple[dict[str, int], int, float]:
    # A rule without a state in this account is a draft there.
    state = sa.func.coalesce(rule_state.c.state, "draft")
    grouped = (
        sa.select(
            state.label("state"),
            sa.func.count().label("rules"),
            sa.func.count(sa.case((rule_state.c.failures > 0, 1))).label("failing"),
            sa.func.min(rule_state.c.next_check_at).label("due"),
        )
        .select_from(
            rules.outerjoin(
                rule_state,
                sa.and_(
                    rule_state.c.rule_id == rules.c.id, rule_state.c.account_sid == account_sid
                ),
            )
        )
        .where(rules.c.deleted_at.is_(None))
        .group_by(sa.text("1"))
    )
    states = dict.fromkeys(map(str, STATES), 0)
    failing, overdue_seconds, now = 0, 0.0, database_time(connection)
    for row in connection.execute(grouped):
        states[row.state] = row.rules
        if row.state in {"on", "held"}:
            failing += row.failing
            overdue_seconds = max(overdue_seconds, now - (row.due or now))
    return states, failing, overdue_seconds
