"""One check of a rule: look at its data, work out what follows, write all of it in one go."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from access.audit_entry import AuditEntry
from alerts import DatabaseError, Desk, UnusableInput
from alerts.emergency_stop import Stopped
from alerts.limits import LimitReached
from alerts.log_lines import on_one_line
from alerts.sending_desk import AddAlerts
from database import NewerDatabase
from database.transactions import database_time
from people.names import number_of_people
from rules.episodes import After, Tell
from rules.health import (
    Health,
    Words,
    after_failure,
    after_success,
    flood_words,
    retry_seconds,
    slow_seconds,
)
from rules.keys import Cases
from rules.leases import Claim
from rules.looking import CheckFailed, Looker, Seen
from rules.planning import Plan, Planner
from rules.recording import Finding, Result, record
from rules.rule import Rule, same_columns
from rules.rule_state import has_open, read_state
from rules.sandbox import QueryError
from rules.saved_rules import read_rule
from rules.schedule import next_check
from rules.tables import checks
from rules.telling import Notice

log = logging.getLogger(__name__)

LAST_SECONDS = (
    sa.select(checks.c.seconds)
    .where(
        checks.c.rule_id == sa.bindparam("rule"), checks.c.account_sid == sa.bindparam("account")
    )
    .order_by(checks.c.number.desc())
    .limit(2)
)
WAIT_FOR_CHECKS = ("pending", "recovering")
OURSELVES = "Callboard itself failed while checking this rule. See its log."
GONE = "This rule was deleted."
CHANGED = "The rule was changed meanwhile: look at it again."


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check found and did, or with `is_dry` what it would have done.

    `result` is "superseded" for a check that doesn't count, because the rule was changed, switched
    off or checked by another process meanwhile. `failure` is why it failed, `error` where in the
    query. `bad` is how many keys are bad, None if that isn't known. `new`, `fired` and `held` are
    keys in words for people, and `over` is how many are over. `notices` are the alerts that were
    saved.
    """

    rule: Rule
    result: Result | str
    seconds: float
    failure: str = ""
    error: QueryError | None = None
    bad: int | None = None
    new: tuple[str, ...] = ()
    fired: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    over: int = 0
    notices: tuple[Notice, ...] = ()
    is_dry: bool = False

    @property
    def sentence(self) -> str:
        """Return the outcome in a sentence for people."""
        if self.result == "failed":
            return f"It can't be checked: {self.failure}"
        if self.result == "superseded":
            return "The rule was changed or switched off meanwhile, so this check doesn't count."
        if self.result == "unchanged":
            return "Nothing has changed since the last check."
        counts = [(len(self.new), "new"), (len(self.held), "held"), (self.over, "no longer listed")]
        parts = [
            f"{self.bad or 0:,} bad",
            *(f"{count:,} {what}" for count, what in counts if count),
        ]
        told = len({each.request.to for each in self.notices})
        whom = number_of_people(told) if told else "nobody"
        verb = "would be" if self.is_dry else ("are" if told > 1 else "is")
        return f"{', '.join(parts)}; {whom} {verb} told."


@dataclass(frozen=True, slots=True)
class Switching:
    """How a rule is being switched on: which of the already bad rows are told, and who does it.

    `audit` is written with it.
    """

    tell: Tell
    by: str
    revision: int
    audit: AuditEntry | None = None


@dataclass(frozen=True, slots=True)
class RuleCheck:
    """Makes checks of the rules of a desk's account."""

    desk: Desk
    looker: Looker

    async def make(
        self, claim: Claim, known: Known | None, switching: Switching | None = None
    ) -> CheckReport:
        """Make a claimed check to its end, and return its report.

        `known` is what `read_known` returned together with the claim. Problems with the rule or its
        data are in the report. Raises `UnusableInput` only if the rule is gone, or if it was
        changed since the revision that is being switched on.
        """
        began = time.monotonic()
        if known is None:
            raise UnusableInput("rule", GONE)
        if switching and switching.revision != known.rule.revision:
            raise UnusableInput("revision", CHANGED)
        if known.rule.is_checked:
            switching = None  # it is on already
        if switching and (stop := await self.desk.emergency_stop()):
            raise Stopped(stop)
        one = _One(claim, known, switching, began)
        try:
            seen = await self.looker.look(
                known.rule,
                claim.at,
                prints=None if switching else known.state["prints"],
                may_skip=lambda: self._may_skip(known.rule, claim),
                has_open=known.has_open,
            )
        except CheckFailed as failure:
            return await self._fail(one, failure)
        except NewerDatabase:
            raise
        except Exception:
            log.exception("The check of the rule %s failed", on_one_line(known.rule.name))
            return await self._fail(one, CheckFailed(OURSELVES))
        while True:
            try:
                return await self._count(one, seen)
            except Stopped:
                # Everything was stopped after this was planned. Plan again, so that no one is told.
                continue
            except LimitReached as limit:
                return await self._fail(one, CheckFailed(str(limit)))
            except DatabaseError:
                raise  # nothing can be written now, so the check is made again
            except Exception:
                # Don't repeat it at once: it would fail again, and no one would hear of that.
                log.exception("The check of the rule %s failed", on_one_line(known.rule.name))
                return await self._fail(one, CheckFailed(OURSELVES))

    async def dry_run(self, rule: Rule) -> CheckReport:
        """Return what a check would find, and whom it would tell, now; writes nothing."""
        began, database = time.monotonic(), await self.desk.database()
        now = datetime.fromtimestamp(await database.read(database_time), UTC)
        try:
            seen = await self.looker.look(rule, now)
        except CheckFailed as failure:
            seconds = time.monotonic() - began
            return CheckReport(rule, "failed", seconds, str(failure), failure.error, is_dry=True)
        cases = seen.cases or Cases()
        plan = await self._planner(database).plan(rule, cases, 0, now)
        claim = Claim(rule.id, 0, now, now, "")
        seconds = time.monotonic() - began
        finding = Finding(rule, claim, "counted", seconds, now, Health(), plan, len(cases.bad))
        return replace(_report(finding, plan.notices), is_dry=True)

    async def _count(self, one: _One, seen: Seen) -> CheckReport:
        """Write what a check saw."""
        rule, claim = one.known.rule, one.claim
        last = await self._last_seconds(one)
        health, words = after_success(rule, one.known.health, last, claim.at.timestamp())
        said: Sequence[Words] = [words] if words else []
        plan = Plan(After())
        if seen.cases is not None and not (one.is_quiet and not seen.cases.bad):
            planner = self._planner(await self.desk.database())
            plan = await planner.plan(rule, seen.cases, claim.number, claim.at, one.tell)
        if plan.after.is_flood and not plan.is_stopped:
            most = self.desk.services.max_recipients
            said = [*said, flood_words(rule, len(plan.after.held), plan.crowd, most)]
        for each in plan.unheard:
            log.warning("%s", on_one_line(f"The rule {rule.name} can't tell anybody: {each}"))
        health, said = await self._unless_stopped(one, health, said)
        finding = Finding(
            rule,
            claim,
            "unchanged" if seen.cases is None else "counted",
            one.seconds,
            self._next_at(rule, claim),
            health,
            plan,
            None if seen.cases is None else len(seen.cases.bad),
            None if _counts_nothing(seen.cases, plan.after) else dict(seen.prints),
            switched_by=one.switching.by if one.switching else None,
            audit=one.switching.audit if one.switching else None,
        )
        return await self._record(finding, said)

    async def _fail(self, one: _One, failure: CheckFailed) -> CheckReport:
        """Write that a check failed. A rule that is being switched on stays off."""
        rule, claim = one.known.rule, one.claim
        if one.switching:
            return CheckReport(rule, "failed", one.seconds, str(failure), failure.error)
        health, words = after_failure(
            rule,
            one.known.health,
            str(failure),
            claim.at.timestamp(),
            is_stale=failure.is_stale,
        )
        soon = claim.at + timedelta(seconds=retry_seconds(health.failures))
        next_at = min(self._next_at(rule, claim), soon)
        health, said = await self._unless_stopped(one, health, [words] if words else [])
        finding = Finding(rule, claim, "failed", one.seconds, next_at, health)
        try:
            report = await self._record(finding, said)
        except (Stopped, LimitReached) as problem:
            # Not even the owner can be told now. The next check will try again.
            log.warning(
                "%s", on_one_line(f"The owner of the rule {rule.name} can't be told: {problem}")
            )
            health = _untold(one, health)
            report = await self._record(replace(finding, health=health), [])
        return replace(report, failure=str(failure), error=failure.error)

    async def _unless_stopped(
        self, one: _One, health: Health, said: Sequence[Words]
    ) -> tuple[Health, Sequence[Words]]:
        """Return the health and the words for the owner: none while everything is stopped."""
        if said and await self.desk.emergency_stop():
            return _untold(one, health), []
        return health, said

    async def _record(self, finding: Finding, said: Sequence[Words]) -> CheckReport:
        """Write a finding and what its owner is told, and start delivering the alerts."""
        rule, claim = finding.rule, finding.claim
        account_sid = self.desk.services.twilio.account_sid
        planner = self._planner(await self.desk.database())
        notices = await planner.to_owner(rule, said, claim.number, claim.at)
        finding = replace(finding, notices=notices)
        every = (*finding.plan.notices, *notices)

        def write(connection: sa.Connection, add: AddAlerts) -> bool:
            return record(connection, add, account_sid, finding)

        if await self.desk.write_with_alerts(write, len(every), rule.id):
            return _report(finding, every)
        return CheckReport(rule, "superseded", finding.seconds)

    async def _may_skip(self, rule: Rule, claim: Claim) -> bool:
        """Whether the query may be skipped, because its old answer would have no effect now."""
        after = await self._planner(await self.desk.database()).same(rule, claim.at)
        return not after.changed and not after.tells

    async def _last_seconds(self, one: _One) -> tuple[float, ...]:
        """Return how long the last checks took, in seconds, newest first; as many as matter."""
        rule = one.known.rule
        if one.seconds < slow_seconds(rule) and one.known.health.owner_told != "slow":
            return (one.seconds,)
        wanted = {"rule": rule.id, "account": self.desk.services.twilio.account_sid}
        before = await (await self.desk.database()).read(
            lambda connection: connection.scalars(LAST_SECONDS, wanted).all()
        )
        return (one.seconds, *before)

    def _planner(self, database: Any) -> Planner:
        services = self.desk.services
        return Planner(
            database,
            services.twilio.account_sid,
            services.regions,
            self.desk.composed,
            services.max_recipients,
        )

    def _next_at(self, rule: Rule, claim: Claim) -> datetime:
        zone = rule.time_zone or self.desk.services.time_zone
        return next_check(rule.every_seconds, rule.at, zone, due=claim.due, now=claim.at)


@dataclass(frozen=True, slots=True)
class Known:
    """A rule before a check, its row of `rule_state`, and whether any of its episodes is open."""

    rule: Rule
    state: Any
    has_open: bool

    @property
    def health(self) -> Health:
        names = Health.__dataclass_fields__
        return Health(**{name: self.state[name] for name in names})


def read_known(connection: sa.Connection, account_sid: str, rule_id: str) -> Known | None:
    """Return what a check has to know about its rule; None if the rule was deleted."""
    rule = read_rule(connection, account_sid, rule_id)
    state = read_state(connection, account_sid, rule_id)
    if rule is None or state is None:
        return None
    return Known(rule, state, has_open(connection, account_sid, rule_id))


@dataclass(frozen=True, slots=True)
class _One:
    """A check that is under way; `began` is its start by the monotonic clock."""

    claim: Claim
    known: Known
    switching: Switching | None
    began: float

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    @property
    def is_quiet(self) -> bool:
        """Whether nothing follows if the check lists nothing bad."""
        same_key = same_columns(self.known.state["key_columns"], self.known.rule.key)
        return same_key and not self.known.has_open and self.switching is None

    @property
    def tell(self) -> Tell | None:
        return self.switching.tell if self.switching else None


def _untold(one: _One, health: Health) -> Health:
    """Return `health` with what the owner was told before: they couldn't be told now."""
    before = one.known.health
    return replace(health, owner_told=before.owner_told, owner_told_at=before.owner_told_at)


def _counts_nothing(cases: Cases | None, after: After) -> bool:
    """Whether an episode waits for more bad or good checks, and this check says nothing about it.

    Then the next check mustn't be skipped as unchanged, because a skipped check counts for the
    episode.
    """
    if cases is None or not cases.says_good:
        return False
    waiting = [key for key, each in after.changed.items() if each.state in WAIT_FOR_CHECKS]
    return any(key not in cases.by_hash or cases.by_hash[key].is_bad is None for key in waiting)


def _report(finding: Finding, notices: tuple[Notice, ...]) -> CheckReport:
    plan = finding.plan
    after = plan.after
    return CheckReport(
        finding.rule,
        finding.result,
        finding.seconds,
        bad=finding.bad,
        new=plan.words(after.began),
        fired=plan.words(after.fired),
        held=plan.words(after.held),
        over=len(after.over),
        notices=notices,
    )
