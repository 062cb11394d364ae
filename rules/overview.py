"""What the list of rules shows: where each stands, what it finds, whom it told, and its health."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any, Literal

import sqlalchemy as sa

from alerts.tables import alerts
from alerts.time_zones import begin_of, in_time_zone
from database.transactions import database_time
from rules.audience import Address
from rules.episodes import DAY_SECONDS, MOST_EPISODES_A_DAY
from rules.health import slow_seconds
from rules.keys import Value, words_of
from rules.rule import Rule
from rules.sandbox import QueryError, Sandbox
from rules.saved_rules import read_rules
from rules.sources import SourceError, Sources
from rules.tables import checks, episodes, rule_state
from rules.telling import list_of

DAYS = 14
END_OF_TIME = 1e12  # in seconds since 1970
MOST_EPISODES = 200
# The median of this many checks before the last one is how long a check usually takes.
USUAL_CHECKS = 20

HealthKind = Literal[
    "fine", "held", "flapping", "slow", "stale", "waiting", "failed", "off", "draft", "unheard"
]
MOST_FLAPPING = 50
MEND_OWNER = "Name another owner for the rule, or correct the person's entry under People."


@dataclass(frozen=True, slots=True)
class NowWords:
    """How many things are bad, None if that isn't known; and the words to show if none are."""

    bad: int | None
    words: str


@dataclass(frozen=True, slots=True)
class RuleHealth:
    """How a rule is doing, in words, with the cause or another remark, and since when."""

    kind: HealthKind
    words: str
    detail: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class RuleOverview:
    """One rule of the list.

    `held` are things that wait for a person's decision, since `held_since`. `watches` are its
    sources, each with a description. `alerts_by_day` counts the alerts of the last days, today's
    last. Times are in UTC. `owner` is who is told of trouble with a rule that is on.
    """

    rule: Rule
    now: NowWords
    held: int
    held_since: datetime | None
    watches: tuple[tuple[str, str], ...]
    last_check: datetime | None
    next_check: datetime | None
    alerts_by_day: tuple[int, ...]
    health: RuleHealth
    owner: Address = field(default_factory=Address)


@dataclass(frozen=True, slots=True)
class EpisodeRow:
    """One time that a thing was bad: its name for people, its row's cells, and its state.

    `state` is as in rules/tables.py. `over_at` is None while it goes on. Times are in UTC.
    """

    key_hash: str
    number: int
    words: str
    cells: Mapping[str, Value]
    state: str
    began_at: datetime
    fired_at: datetime | None
    over_at: datetime | None
    is_told: bool


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """What the database knows of a rule: its row of rule_state, and what is counted from others.

    `flapping` has the keys, in words for people, that came and went too often in the last day.
    """

    rule: Rule
    state: Mapping[str, Any] | None
    held: int
    held_since: datetime | None
    alerts_by_day: tuple[int, ...]
    usual_seconds: float | None
    flapping: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources that its last check read; () if it was never checked."""
        prints = (self.state or {}).get("prints") or {}
        return tuple(name for name in prints if name)

    def overview(self, watches: Sequence[tuple[str, str]], owner: Address) -> RuleOverview:
        """Return the rule's entry in the list."""
        state = self.state or {}
        return RuleOverview(
            self.rule,
            self._now(state),
            self.held,
            self.held_since,
            tuple(watches),
            moment_of(state.get("last_check_at")),
            moment_of(state.get("next_check_at")),
            self.alerts_by_day,
            self._health(state, owner),
            owner,
        )

    def _now(self, state: Mapping[str, Any]) -> NowWords:
        if not self.rule.is_checked:
            return NowWords(None, "–")
        if state.get("failures"):
            return NowWords(None, "Not known")
        bad = state.get("bad")
        if bad is None:
            return NowWords(None, "Not checked yet")
        return NowWords(bad, f"{bad:,} bad" if bad else "None bad")

    def _health(self, state: Mapping[str, Any], owner: Address) -> RuleHealth:
        if self.rule.state == "draft":
            return RuleHealth("draft", "Draft")
        switched = moment_of(state.get("state_at"))
        if self.rule.state == "paused":
            by = state.get("state_by")
            return RuleHealth("off", "Off", f"By {by}" if by else "", switched)
        health = self._health_of_checks(state, owner)
        if not owner.problems:
            return health
        whom = "One of its owners" if owner.recipients else "Its owner"
        why = f"{' '.join(owner.problems)} {MEND_OWNER}"
        if health.kind in {"fine", "waiting"}:
            return RuleHealth("unheard", f"{whom} can't be told", why)
        detail = f"{health.detail.rstrip('.')}. " if health.detail else ""
        return replace(health, detail=f"{detail}{whom} can't be told: {why}")

    def _health_of_checks(self, state: Mapping[str, Any], owner: Address) -> RuleHealth:
        if state.get("failures"):
            is_stale = state.get("owner_told") == "stale"
            words = "Data stopped" if is_stale else "Can't check"
            since = moment_of(state.get("failing_since"))
            return RuleHealth("stale" if is_stale else "failed", words, state["failure"], since)
        if self.held:
            return RuleHealth("held", f"Held: {self.held:,} new at once", "", self.held_since)
        if self.flapping:
            who = "only the owner is told" if owner.recipients else "nobody is told"
            listed = list_of(self.flapping)
            detail = f"More than {MOST_EPISODES_A_DAY} times in a day, so {who}"
            return RuleHealth("flapping", f"Comes and goes: {listed}", detail)
        last = state.get("last_seconds")
        if last is None:
            return RuleHealth("waiting", "Waits for its first check")
        if last >= slow_seconds(self.rule):
            usual = self.usual_seconds
            known = usual is not None and usual < last / 2
            return RuleHealth(
                "slow", f"Slow: {last:.0f} s a check", f"Usually {usual:.0f} s" if known else ""
            )
        return RuleHealth("fine", "Fine")


async def watched_sources(
    facts: RuleFacts, sources: Sources, sandbox: Sandbox
) -> Sequence[tuple[str, str]]:
    """Return the names of a rule's sources, each with a description: "gone" for a removed one."""
    names: Iterable[str] = facts.sources
    if not names and facts.rule.sql.strip():
        try:
            names = sorted(await sandbox.tables_of(facts.rule.sql, sources.names()))
        except QueryError:
            return ()
    return [(each, _described(sources, each)) for each in names]


def _described(sources: Sources, name: str) -> str:
    try:
        return sources.described(name)
    except SourceError:
        return "gone"


def read_facts(connection: sa.Connection, account_sid: str, time_zone: str) -> list[RuleFacts]:
    """Return what is known of every rule, by name. Days are those of `time_zone`."""
    found = read_rules(connection, account_sid)
    ids = [each.id for each in found]
    if not ids:
        return []
    states: dict[str, Mapping[str, Any]] = {
        row["rule_id"]: dict(row)
        for row in connection.execute(
            sa.select(rule_state).where(rule_state.c.account_sid == account_sid)
        ).mappings()
    }
    held = _held(connection, account_sid)
    by_day = _alerts_by_day(connection, account_sid, time_zone)
    flapping = _flapping(connection, account_sid)
    nothing = (0,) * DAYS
    facts = []
    for rule in found:
        count, since = held.get(rule.id, (0, None))
        state = states.get(rule.id)
        is_slow = state is not None and (state["last_seconds"] or 0) >= slow_seconds(rule)
        usual = _usual_seconds(connection, account_sid, rule.id) if is_slow else None
        alerts_by_day = by_day.get(rule.id, nothing)
        flaps = tuple(flapping.get(rule.id, ()))
        facts.append(RuleFacts(rule, state, count, since, alerts_by_day, usual, flaps))
    return facts


def read_episodes(
    connection: sa.Connection, account_sid: str, rule_id: str, *, only_held: bool = False
) -> list[EpisodeRow]:
    """Return the rule's open episodes, then those that were over last; MOST_EPISODES at most."""
    wanted = sa.select(episodes).where(
        episodes.c.rule_id == rule_id, episodes.c.account_sid == account_sid
    )
    if only_held:
        wanted = wanted.where(episodes.c.is_open, episodes.c.state == "held")
        wanted = wanted.order_by(episodes.c.began_at, episodes.c.key_hash)
    else:
        newest = (episodes.c.is_open.desc(), episodes.c.since.desc(), episodes.c.key_hash)
        wanted = wanted.order_by(*newest).limit(MOST_EPISODES)
    return [
        EpisodeRow(
            row["key_hash"],
            row["number"],
            words_of(row["key"]),
            row["row"],
            row["state"],
            datetime.fromtimestamp(row["began_at"], UTC),
            moment_of(row["fired_at"]),
            moment_of(row["over_at"]),
            row["is_told"],
        )
        for row in connection.execute(wanted).mappings()
    ]


def moment_of(seconds: float | None) -> datetime | None:
    """Return the moment that is `seconds` after 1970 began, in UTC; None for None."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _held(connection: sa.Connection, account_sid: str) -> dict[str, tuple[int, datetime | None]]:
    counted = (
        sa.select(episodes.c.rule_id, sa.func.count(), sa.func.min(episodes.c.since))
        .where(
            episodes.c.account_sid == account_sid,
            episodes.c.is_open,
            episodes.c.state == "held",
        )
        .group_by(episodes.c.rule_id)
    )
    return {rule: (count, moment_of(since)) for rule, count, since in connection.execute(counted)}


def _flapping(connection: sa.Connection, account_sid: str) -> dict[str, list[str]]:
    """Return the keys, in words for people, that fired too often in the last day, by rule."""
    since = database_time(connection) - DAY_SECONDS
    # All but the last episode of such a key are over, and few episodes ended that recently, which
    # an index finds.
    often = (
        sa.select(episodes.c.rule_id, episodes.c.key_hash)
        .where(
            sa.not_(episodes.c.is_open),
            episodes.c.over_at > since,
            episodes.c.fired_at > since,
            episodes.c.account_sid == account_sid,
        )
        .group_by(episodes.c.rule_id, episodes.c.key_hash)
        .having(sa.func.count() >= MOST_EPISODES_A_DAY)
        .order_by(sa.func.max(episodes.c.over_at).desc())
        .limit(MOST_FLAPPING)
    )
    found: dict[str, list[str]] = {}
    for rule_id, key_hash in connection.execute(often).all():
        fired = (
            sa.select(episodes.c.key)
            .where(
                episodes.c.rule_id == rule_id,
                episodes.c.account_sid == account_sid,
                episodes.c.key_hash == key_hash,
                episodes.c.fired_at > since,
            )
            .order_by(episodes.c.number.desc())
        )
        keys = list(connection.scalars(fired))
        if len(keys) > MOST_EPISODES_A_DAY:
            found.setdefault(rule_id, []).append(words_of(keys[0]))
    return found


def _alerts_by_day(
    connection: sa.Connection, account_sid: str, time_zone: str
) -> dict[str, tuple[int, ...]]:
    """Count the alerts of each rule on each of the last days, by the clock of a zone."""
    starts = [start.timestamp() for start in _days(datetime.now(UTC), time_zone)]
    counted = [
        sa.func.sum(
            sa.case((sa.and_(alerts.c.created_at >= first, alerts.c.created_at < end), 1), else_=0)
        )
        for first, end in zip(starts, [*starts[1:], END_OF_TIME], strict=True)
    ]
    wanted = (
        sa.select(alerts.c.rule_id, *counted)
        .where(
            alerts.c.account_sid == account_sid,
            alerts.c.rule_id.is_not(None),
            alerts.c.created_at >= starts[0],
        )
        .group_by(alerts.c.rule_id)
    )
    return {row[0]: tuple(int(each) for each in row[1:]) for row in connection.execute(wanted)}


def _days(now: datetime, time_zone: str) -> list[datetime]:
    """Return when each of the last days began by a zone's clock, ending with today."""
    today = in_time_zone(now, time_zone).date()
    return [begin_of(_back(today, days), time_zone) for days in range(DAYS - 1, -1, -1)]


def _back(day: date, days: int) -> date:
    return day - timedelta(days=days)


def _usual_seconds(connection: sa.Connection, account_sid: str, rule_id: str) -> float | None:
    wanted = (
        sa.select(checks.c.seconds)
        .where(
            checks.c.rule_id == rule_id,
            checks.c.account_sid == account_sid,
            checks.c.result == "counted",
        )
        .order_by(checks.c.number.desc())
        .offset(1)
        .limit(USUAL_CHECKS)
    )
    found = list(connection.scalars(wanted))
    return median(found) if found else None
