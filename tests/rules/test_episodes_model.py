"""The state machine beside a plain model of one key at a time, over random histories."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.episodes import (
    After,
    Episode,
    Look,
    Past,
    RuleState,
    after_answer,
    after_check,
    after_told,
)
from rules.rule import Rule

KEYS = ("1407", "1408", "1409", "1410")
DAY = 24 * 3600.0


@dataclass
class World:
    """A rule's episodes as the database keeps them, and who was told of which."""

    rule: Rule
    says_good: bool
    now: float = 1_000_000.0
    counted: int = 0
    is_held: bool = False
    muted: set[str] = field(default_factory=set)
    everything: dict[tuple[str, int], Episode] = field(default_factory=dict)
    told: list[tuple[str, int]] = field(default_factory=list)
    flapping: dict[tuple[str, int], float] = field(default_factory=dict)
    floods: int = 0

    @property
    def open(self) -> dict[str, Episode]:
        return {key: each for (key, _), each in self.everything.items() if each.is_open}

    def past(self, key: str) -> Past:
        earlier = [each for (name, _), each in self.everything.items() if name == key]
        if not earlier:
            return Past()
        lately = [each for each in earlier if (each.fired_at or 0) > self.now - DAY]
        return Past(
            max(each.number for each in earlier),
            len([each for each in lately if each.fired_at is not None]),
            any(
                each.fired_at is not None or "known" in {each.state, each.returns_to}
                for each in earlier
            ),
            any((key, each.number) in self.flapping for each in lately),
        )

    def check(self, seen: dict[str, str], tell: object = None) -> After:
        self.counted += 1
        before = RuleState(
            self.open,
            {key: self.past(key) for key in KEYS},
            frozenset(self.muted),
            self.is_held,
            None,
            tell,  # type: ignore[arg-type]
        )
        look = Look(
            self.counted,
            self.now,
            {key for key, what in seen.items() if what == "bad"},
            {key for key, what in seen.items() if what == "good"},
            self.says_good,
        )
        after = after_check(self.rule, before, look)
        self._keep(after.changed.values())
        for key in after.telling:
            episode = self.open[key]
            self.told.append((key, episode.number))
            self._keep([after_told(episode, self.now)])
        for key in after.flapping:
            self.flapping[key, self.open[key].number] = self.now
        if after.is_flood:
            self.is_held = True
            self.floods += 1
        return after

    def answer(self, tell: object) -> None:
        answered = after_answer(
            self.open.values(),
            tell,  # type: ignore[arg-type]
            at=self.now,
            check=self.counted,
        )
        self._keep(answered.values())
        self.is_held = False

    def end_all(self) -> None:
        """What recording does when the key columns have changed."""
        for (key, number), each in list(self.everything.items()):
            if each.is_open:
                self.everything[key, number] = Episode(
                    **{name: getattr(each, name) for name in Episode.__dataclass_fields__}
                    | {"state": "over", "over_at": self.now}
                    | ({"returns_to": "known"} if each.state == "known" else {})
                )

    def _keep(self, episodes: Iterable[Episode]) -> None:
        for each in episodes:
            self.everything[each.key_hash, each.number] = each


@dataclass
class PlainKey:
    """One key, told in the plainest way: what it is, and since when and how often."""

    rule: Rule
    state: str = ""  # "" for nothing, or over
    bad: int = 0
    good: int = 0
    bad_since: float = 0
    was: str = ""
    fired: list[float] = field(default_factory=list)
    has_been: bool = False
    told_now: bool = False
    is_told: bool = False

    def see(self, what: str, now: float, *, says_good: bool) -> None:
        """Count a check; what follows for all keys together comes after."""
        if what == "missing":
            if says_good:
                return
            what = "good"
        if what == "good":
            self._see_good()
        elif self.state == "recovering":
            self.state, self.good = self.was, 0
        elif self.state == "":
            if not (self.rule.once_ever and self.has_been):
                self.state, self.bad, self.bad_since, self.is_told = "pending", 1, now, False
        elif self.state == "pending":
            self.bad += 1

    def _see_good(self) -> None:
        if self.state in {"pending", "held"}:
            self.state = ""
        elif self.state in {"known", "firing"}:
            self.was, self.state, self.good = self.state, "recovering", 1
        elif self.state == "recovering":
            self.good += 1
        if self.state == "recovering" and self.good >= self.rule.recovery_checks:
            self.state = ""

    def is_ripe(self, now: float) -> bool:
        long = now - self.bad_since >= self.rule.pending_minutes * 60
        return self.state == "pending" and self.bad >= self.rule.pending_checks and long

    def flaps(self, now: float) -> bool:
        return len([each for each in self.fired if each > now - DAY]) >= 3

    def fire(self, now: float, *, is_told: bool) -> None:
        self.state, self.is_told, self.has_been = "firing", is_told, True
        self.fired.append(now)


class PlainRule:
    """All keys of a rule, by the plain model."""

    def __init__(self, rule: Rule, *, says_good: bool) -> None:
        self.rule = rule
        self.says_good = says_good
        self.keys = {key: PlainKey(rule) for key in KEYS}
        self.is_held = False

    def check(self, seen: dict[str, str], now: float, muted: set[str]) -> set[str]:
        """Return the keys that are told."""
        for name, key in self.keys.items():
            key.see(seen.get(name, "missing"), now, says_good=self.says_good)
        # Only what was seen bad now can become ripe.
        ripe = {
            name: key
            for name, key in self.keys.items()
            if seen.get(name) == "bad" and key.is_ripe(now)
        }
        flapping = {name for name, key in ripe.items() if key.flaps(now)}
        loud = [name for name in ripe if name not in flapping and name not in muted]
        if self.is_held or len(loud) > self.rule.most_at_once:
            self.is_held = True
            for name in loud:
                ripe.pop(name).state = "held"
        for name, key in ripe.items():
            key.fire(now, is_told=name in flapping)
        told = {
            name
            for name, key in self.keys.items()
            if key.state == "firing" and not key.is_told and name not in muted
        }
        for name in told:
            self.keys[name].is_told = True
        return told

    def baseline(self, seen: dict[str, str]) -> None:
        """The key columns have changed, and nothing of what is bad is told."""
        for name, key in self.keys.items():
            key.state = ""
            if seen.get(name) == "bad" and not (self.rule.once_ever and key.has_been):
                key.state, key.has_been = "known", True

    def answer(self, chosen: set[str], now: float) -> None:
        for name, key in self.keys.items():
            if key.state == "held":
                if name in chosen:
                    key.fire(now, is_told=False)
                else:
                    key.state, key.has_been = "known", True
        self.is_held = False


rules = st.builds(
    Rule,
    pending_checks=st.integers(1, 3),
    pending_minutes=st.sampled_from([0, 0, 5]),
    recovery_checks=st.integers(1, 3),
    most_at_once=st.integers(1, 4),
    once_ever=st.booleans(),
)
sights = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(["bad", "bad", "good"]))
events = st.one_of(
    st.tuples(st.just("check"), sights),
    st.tuples(st.just("check"), sights),
    st.tuples(st.just("check"), sights),
    st.tuples(st.just("failed"), sights),
    st.tuples(st.just("edited"), sights),
    st.tuples(st.just("other key"), sights),
    st.tuples(st.just("mute"), st.sampled_from(KEYS)),
    st.tuples(st.just("answer"), st.sets(st.sampled_from(KEYS))),
    st.tuples(st.just("wait"), st.sampled_from([60, 300, 3600, DAY])),
)


@pytest.mark.slow
@given(rules, st.booleans(), st.lists(events, max_size=40))
@settings(max_examples=400)
def test_it_does_what_a_plain_model_does(rule, says_good, happened):
    world, plain = World(rule, says_good), PlainRule(rule, says_good=says_good)
    for what, detail in happened:
        world.now += 20
        match what:
            case "check":
                before = len(world.told)
                seen = _seen(detail, says_good)
                world.check(seen)
                told = plain.check(seen, world.now, world.muted)
                assert {key for key, _ in world.told[before:]} == told
            case "other key":
                seen = _seen(detail, says_good)
                world.end_all()
                world.check(seen, tell="none")
                plain.baseline(seen)
            case "mute":
                world.muted ^= {detail}
            case "answer":
                world.answer(frozenset(detail))
                plain.answer(detail, world.now)
            case "wait":
                world.now += detail
            case "failed" | "edited":
                pass  # nothing is told of it here: it changes nothing
        states = {key: each.state for key, each in world.open.items()}
        assert states == {key: each.state for key, each in plain.keys.items() if each.state}
        assert world.is_held == plain.is_held


@pytest.mark.slow
@given(rules, st.booleans(), st.lists(events, max_size=60))
@settings(max_examples=300)
def test_each_episode_is_told_once_at_most(rule, says_good, happened):
    world = World(rule, says_good)
    for what, detail in happened:
        world.now += 20
        if what == "check":
            seen, muted = _seen(detail, says_good), set(world.muted)
            before = len(world.told)
            world.check(seen)
            for key, _ in world.told[before:]:
                assert key not in muted
                assert seen.get(key) != "good"
            assert len(world.told) - before <= len(KEYS)
        elif what == "mute":
            world.muted ^= {detail}
        elif what == "answer":
            world.answer(frozenset(detail))
        elif what == "wait":
            world.now += detail
    assert len(world.told) == len(set(world.told))
    # And of a key never more than three a day, and never without an episode that fired.
    for key, number in world.told:
        assert world.everything[key, number].fired_at is not None


@given(rules, sights)
def test_a_first_check_is_silent(rule, detail):
    world = World(rule, says_good=False)
    world.check(detail, tell="none")
    assert world.told == []
    assert {each.state for each in world.open.values()} <= {"known"}
    # Also in the next checks, whatever the rule waits for.
    world.check(detail)
    world.check(detail)
    assert world.told == []


def _seen(detail: dict[str, str], says_good: bool) -> dict[str, str]:
    """Without a column `bad`, a query lists only what is bad."""
    return {key: what for key, what in detail.items() if says_good or what == "bad"}
