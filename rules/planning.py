"""What a check is going to write: worked out before its transaction, and verified inside it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa

from alerts.emergency_stop import read_stop
from alerts.log_lines import on_one_line
from alerts.phone_numbers import Regions
from database.database import Database
from people.directory import Directory
from rules.audience import Audience, read_audience
from rules.episodes import (
    After,
    Episode,
    Look,
    RuleState,
    Tell,
    after_check,
    after_reminder,
    after_told,
)
from rules.health import Words, most_people
from rules.keys import Case, Cases, Value, shown
from rules.mutes import Mute, is_muted, read_mutes
from rules.rule import Rule, same_columns
from rules.rule_state import (
    Id,
    ToldAlert,
    read_open,
    read_past,
    read_rows,
    read_state,
    read_told,
    told_together,
)
from rules.telling import Compose, Item, Notice, NoticeWriter

log = logging.getLogger(__name__)

# Composing more alerts than this takes so long that it is done in a thread.
MANY_ITEMS = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """What follows from a check: the episodes to write and the alerts to save.

    `episodes` are those that change. `cases` and `cells` are what the check listed of them, by the
    hash of the key. `ends_all` means that the key columns have changed, so all open episodes are
    over. `unheard` is why some can't be told, if there is no owner to tell. While everything
    `is_stopped` no one is told anything. `crowd` is how many people the new ones name, if they are
    held because that is too many, else 0.
    """

    after: After
    episodes: tuple[Episode, ...] = ()
    cases: Mapping[str, Case] = field(default_factory=dict)
    cells: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()
    ends_all: bool = False
    unheard: tuple[str, ...] = ()
    is_stopped: bool = False
    crowd: int = 0

    def words(self, keys: Sequence[str]) -> tuple[str, ...]:
        """Return these keys in words for people, as far as the check listed them."""
        return tuple(self.cases[each].words for each in keys if each in self.cases)


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans the checks of one account's rules. `compose` is as in telling.py.

    Rows that name more people than `max_recipients` at once are held for a person.
    """

    database: Database
    account_sid: str
    regions: Regions
    compose: Compose
    max_recipients: int

    async def plan(
        self, rule: Rule, cases: Cases, number: int, at: datetime, tell: Tell | None = None
    ) -> Plan:
        """Plan what a check that counts is going to write.

        `number` and `at` are the check's. `tell` is given when the rule is being switched on.
        """
        see = partial(_see, account_sid=self.account_sid, rule=rule, cases=cases, at=at, tell=tell)
        seen = await self.database.read(see)
        crowd = await self._crowd(rule, cases, at, seen) if tell is None else 0
        if crowd:
            seen = await self.database.read(partial(see, is_crowd=True))
        plan = await self._told(rule, cases, number, at, seen)
        return replace(plan, crowd=crowd if plan.after.is_flood else 0)

    async def same(self, rule: Rule, at: datetime) -> After:
        """Return what would follow from a check that lists the same as the last one."""

        def look(connection: sa.Connection) -> After:
            open_ = read_open(connection, self.account_sid, rule.id)
            good = {key for key, each in open_.items() if each.state == "recovering"}
            state = read_state(connection, self.account_sid, rule.id)
            mutes = read_mutes(connection, self.account_sid, rule.id)
            bad = open_.keys() - good
            past = read_past(
                connection,
                self.account_sid,
                rule.id,
                [key for key, each in open_.items() if each.state == "pending"],
                at.timestamp(),
            )
            before = RuleState(
                open_,
                past,
                [key for key in open_ if mutes and is_muted(mutes, at, key_hash=key)],
                state["state"] == "held",
                state["gathered_until"],
                is_stopped=read_stop(connection, self.account_sid) is not None,
            )
            look = Look(state["counted_checks"] + 1, at.timestamp(), bad, good, says_good=True)
            return after_check(rule, before, look)

        return await self.database.read(look)

    async def to_owner(
        self, rule: Rule, words: Sequence[Words], number: int, at: datetime
    ) -> tuple[Notice, ...]:
        """Return the alerts that tell the rule's owner something about the rule itself."""
        if not words:
            return ()
        audience = await self.audience(rule, [])
        _warn(rule, audience)
        writer = NoticeWriter(rule, number, at, audience, self.compose)
        return tuple(notice for each in words for notice in writer.health(each.text, each.about))

    async def audience(self, rule: Rule, cases: Sequence[Case]) -> Audience:
        """Look up whom the cases are for."""
        return await read_audience(rule, cases, self.regions, Directory(self.database))

    async def _crowd(self, rule: Rule, cases: Cases, at: datetime, seen: _Seen) -> int:
        """Return how many people the rows that fire now name, 0 if that many may be told at once.

        Recipients named by the rule itself don't count, because a person has chosen them.
        """
        if not rule.to_column:
            return 0
        most = most_people(rule, self.max_recipients)
        fired = [
            cases.by_hash[key]
            for key in seen.after.fired
            if key in cases.by_hash
            and not seen.after.changed[key].is_told
            and not is_muted(seen.mutes, at, key_hash=key)
        ]
        named = {text for case in fired for text in case.to}
        # Looking up that many would take long.
        if len(named) > most:
            return len(named)
        found = (await self.audience(rule, fired)).of.values()
        people = len({recipient.to for each in found for recipient in each.recipients})
        return people if people > most else 0

    async def _told(self, rule: Rule, cases: Cases, number: int, at: datetime, seen: _Seen) -> Plan:
        after = seen.after
        telling = seen.items(after.telling)
        reminding = seen.items([each for each in after.reminding if seen.may_remind(each)])
        flapping = seen.items(after.flapping)
        tells_of_over = rule.tell_recovery and not seen.is_stopped
        over = [
            replace(each, told=heard)
            for each in seen.items(after.over if tells_of_over else ())
            if (heard := seen.heard(each.id))
        ]
        changed = dict(after.changed) | seen.acknowledged(rule.reminders)
        notices: tuple[Notice, ...] = ()
        unheard: tuple[str, ...] = ()
        if telling or reminding or flapping or over:
            addressed = [each.case for each in (*telling, *reminding)]
            audience = await self.audience(rule, addressed)
            writer = NoticeWriter(rule, number, at, audience, self.compose, seen.mutes)
            _warn(rule, audience)

            def write() -> tuple[Sequence[Notice], set[str], tuple[str, ...]]:
                firing = writer.tell(telling, "firing")
                reminders = writer.tell(reminding, "reminder")
                often = writer.flapping(flapping)
                notices = (
                    *firing.notices,
                    *reminders.notices,
                    *often.notices,
                    *writer.over(over),
                )
                return notices, set(firing.muted), (*firing.unheard, *often.unheard)

            is_much = len(telling) + len(reminding) + len(over) > MANY_ITEMS
            written = await asyncio.to_thread(write) if is_much else write()
            notices, muted, unheard = tuple(written[0]), written[1], written[2]
            moment = at.timestamp()
            for item in telling:
                key = item.case.key_hash
                if key not in muted:
                    changed[key] = after_told(changed.get(key, item.episode), moment)
            for item in reminding:
                key = item.case.key_hash
                changed[key] = after_reminder(changed.get(key, item.episode), moment)
        return Plan(
            after,
            tuple(changed.values()),
            cases.by_hash,
            {key: cases.cells(cases.by_hash[key]) for key in changed if key in cases.by_hash},
            notices,
            seen.ends_all,
            unheard,
            seen.is_stopped,
        )


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the database knows of a check's cases, and what follows from that."""

    after: After
    cases: Cases
    open: Mapping[str, Episode]
    saved: Mapping[str, tuple[Mapping[str, Value], Mapping[str, Value]]]
    told: Mapping[Id, Sequence[ToldAlert]]
    mutes: Sequence[Mute]
    ends_all: bool
    canceled: frozenset[str]
    to_column: str
    is_stopped: bool

    def items(self, keys: Sequence[str]) -> list[Item]:
        """Return these keys with their episodes, rows and who was told."""
        return [self._item(each) for each in keys]

    def heard(self, episode: Id) -> list[str]:
        """Return who was really told that an episode fires, not only was to be told."""
        return list(
            dict.fromkeys(
                each.recipient
                for each in self.told.get(episode, ())
                if each.kind == "firing" and each.was_sent and each.alert_id not in self.canceled
            )
        )

    def may_remind(self, key: str) -> bool:
        """Whether a key hasn't been acknowledged, and no alert about it is under way."""
        told = self.told.get((key, self._episode(key).number), ())
        return not any(each.is_acknowledged or each.is_open for each in told)

    def acknowledged(self, reminders: int) -> dict[str, Episode]:
        """Return the episodes that need no more reminders, as if all had been sent."""
        return {
            key: replace(self._episode(key), reminders=reminders)
            for key in self.after.reminding
            if any(
                each.is_acknowledged for each in self.told.get((key, self._episode(key).number), ())
            )
        }

    def _episode(self, key: str) -> Episode:
        return self.after.changed.get(key) or self.open[key]

    def _item(self, key: str) -> Item:
        episode = self._episode(key)
        told = self.told.get((key, episode.number), ())
        case = self.cases.by_hash.get(key)
        if case is not None and case.is_bad:
            cells: Mapping[str, Value] = self.cases.cells(case)
        else:
            # This check doesn't list the key, so use the words that were saved.
            values, cells = self.saved.get(key, ({}, {}))
            to = [shown(cell) for name, cell in cells.items() if _same(name, self.to_column)]
            case = Case(key, values, tuple(cells.values()), tuple(to))
        return Item(
            episode,
            case,
            cells,
            # A reminder is for those who have been told.
            frozenset()
            if key in self.after.reminding
            else frozenset(each.recipient for each in told if each.kind == "firing"),
            any(each.kind == "problem" for each in told),
        )


def _see(
    connection: sa.Connection,
    account_sid: str,
    rule: Rule,
    cases: Cases,
    *,
    at: datetime,
    tell: Tell | None,
    is_crowd: bool = False,
) -> _Seen:
    """Read the rule's state, and work out what follows from the check's cases."""
    state: Any = read_state(connection, account_sid, rule.id)
    open_ = read_open(connection, account_sid, rule.id)
    is_same_key = same_columns(state["key_columns"] if state else (), rule.key)
    ends_all = bool(open_) and not is_same_key
    if ends_all:
        open_ = {}
    if not is_same_key and tell is None:
        tell = "none"
    bad, moment = cases.bad, at.timestamp()
    asked = [key for key in bad if key not in open_ or open_[key].state == "pending"]
    mutes = read_mutes(connection, account_sid, rule.id)
    muted = [key for key in {*bad, *open_} if mutes and is_muted(mutes, at, key_hash=key)]
    before = RuleState(
        open_,
        read_past(connection, account_sid, rule.id, asked, moment),
        frozenset(muted),
        state is not None and state["state"] == "held" and tell is None,
        state and state["gathered_until"],
        tell,
        is_stopped=read_stop(connection, account_sid) is not None,
        is_crowd=is_crowd,
    )
    counted = state["counted_checks"] if state else 0
    look = Look(counted + 1, moment, bad.keys(), cases.good, cases.says_good)
    after = after_check(rule, before, look)
    asked_about = [*after.telling, *after.reminding, *after.over, *after.flapping]
    ids = [(each, (after.changed.get(each) or open_[each]).number) for each in asked_about]
    told = read_told(connection, account_sid, rule.id, ids) if ids else {}
    missing = [each for each in ids if each[0] not in bad]
    waiting = {each.alert_id for some in told.values() for each in some if each.is_waiting}
    canceled = alerts_to_cancel(
        waiting, told_together(connection, account_sid, waiting), open_, after
    )
    return _Seen(
        after,
        cases,
        open_,
        read_rows(connection, account_sid, rule.id, missing) if missing else {},
        told,
        mutes,
        ends_all,
        canceled,
        rule.to_column,
        before.is_stopped,
    )


def alerts_to_cancel(
    waiting: set[str], about: Mapping[str, set[Id]], open_: Mapping[str, Episode], after: After
) -> frozenset[str]:
    """Return the waiting alerts whose episodes are all over."""
    over = {(key, after.changed[key].number) for key in after.over}
    still_bad = {
        (key, each.number) for key, each in {**open_, **after.changed}.items() if each.is_open
    }
    return frozenset(
        each for each in waiting if about.get(each, set()) & over and not about[each] & still_bad
    )


def _warn(rule: Rule, audience: Audience) -> None:
    """Log recipients that were known when the rule was switched on and aren't found any more."""
    for problem in filter(None, (audience.owner_problem, audience.then_to_problem)):
        log.warning(
            "%s", on_one_line(f"The rule {rule.name} names a person who can't be told: {problem}")
        )


def _same(name: str, other: str) -> bool:
    return name.casefold() == other.casefold()
