"""How the episodes of a rule follow from what its checks list. This is decided only here.

An episode is one time that a key is bad:

    bad ──▶ pending ──▶ firing ──▶ recovering ──▶ over
               │     ╲▶ held  (too many at once: a person decides)
            over      known   (bad already when the rule was switched on)

A check that failed changes nothing, so it never gets here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Literal

from rules.rule import Rule

State = Literal["known", "pending", "held", "firing", "recovering", "over"]
# What a person wants told of what is already bad when a rule is switched on: none of it, all of it,
# or these keys, by hash.
Tell = Literal["none", "all"] | Set[str]

# A key with more episodes than this in a day is flapping: its recipients aren't told any more.
MOST_EPISODES_A_DAY = 3
STAYS_WHILE_BAD = ("known", "held", "firing")
DAY_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Episode:
    """One time that a key is bad; `number` counts those of the key from 1.

    `since` is when it entered its state, in seconds since 1970, and `since_check` the number of
    counted checks by then. `returns_to` is the state that recovering goes back to. `is_told` is
    whether its recipients have been told, or never will be; `reminded_at` is when they were last
    told.
    """

    key_hash: str
    number: int
    state: State
    began_at: float
    since: float
    since_check: int
    returns_to: str = ""
    fired_at: float | None = None
    over_at: float | None = None
    is_told: bool = False
    reminders: int = 0
    reminded_at: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether it isn't over yet."""
        return self.state != "over"


@dataclass(frozen=True, slots=True)
class Past:
    """A key's earlier episodes: the number of the last, and how many fired in the last 24 hours.

    `has_been` is whether one of them fired or was known, and `is_known_to_flap` whether the owner
    heard in those 24 hours that the key is flapping.
    """

    number: int = 0
    fired_lately: int = 0
    has_been: bool = False
    is_known_to_flap: bool = False


NO_PAST = Past()


@dataclass(frozen=True, slots=True)
class Look:
    """What a counted check saw, the `number`th of the rule, at `at` seconds since 1970.

    `bad` and `good` are hashes of keys. Without `says_good` a key that isn't bad is good; with it,
    nothing is known of a key that is in neither.
    """

    number: int
    at: float
    bad: Collection[str]
    good: Collection[str] = ()
    says_good: bool = False

    def of(self, key_hash: str) -> Literal["bad", "good", "missing"]:
        """Return what the check saw of a key."""
        if key_hash in self.bad:
            return "bad"
        if key_hash in self.good or not self.says_good:
            return "good"
        return "missing"


@dataclass(frozen=True, slots=True)
class RuleState:
    """Where a rule stands before a check.

    `open` are its open episodes and `past` what came before, by the hash of the key. `muted` are
    keys that no one is told about. While it `is_held`, nothing new is told; while everything
    `is_stopped`, no one is told anything, and what would be told is held. With `is_crowd`, what
    fires now names more people than may be told at once. `gathered_until` is when the alerts that
    are being gathered go out, in seconds since 1970. `tell` is set when the rule is being switched
    on, or its key columns have changed: this check is a baseline then.
    """

    open: Mapping[str, Episode] = field(default_factory=dict)
    past: Mapping[str, Past] = field(default_factory=dict)
    muted: Collection[str] = ()
    is_held: bool = False
    gathered_until: float | None = None
    tell: Tell | None = None
    is_stopped: bool = False
    is_crowd: bool = False


@dataclass(frozen=True, slots=True)
class After:
    """What follows from a check.

    `changed` are the episodes that changed, by the hash of their key. Of these, keys in `began`
    turned bad, and others have `fired`, were `held`, or are `over`. Now recipients are to be told
    about `telling`, and the owner about `flapping`. `reminding` are due for a reminder, unless a
    recipient has acknowledged. `is_flood` means that the rule is held from now on: more keys fired
    at once than it allows, or for more people, or everything is stopped.
    """

    changed: Mapping[str, Episode] = field(default_factory=dict)
    began: tuple[str, ...] = ()
    fired: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    over: tuple[str, ...] = ()
    telling: tuple[str, ...] = ()
    flapping: tuple[str, ...] = ()
    reminding: tuple[str, ...] = ()
    is_flood: bool = False
    gathered_until: float | None = None

    @property
    def tells(self) -> bool:
        """Whether anyone may have to be told, which takes the rows."""
        return bool(self.telling or self.flapping or self.reminding or self.is_flood)


def after_check(rule: Rule, before: RuleState, look: Look) -> After:
    """Return what follows from a counted check of the rule."""
    return _Check(rule, before, look).run()


def after_told(episode: Episode, at: float) -> Episode:
    """Return the episode after all its recipients have been told, `at` seconds since 1970."""
    return replace(episode, is_told=True, reminded_at=at)


def after_reminder(episode: Episode, at: float) -> Episode:
    """Return the episode after a reminder."""
    return replace(episode, reminders=episode.reminders + 1, reminded_at=at)


def after_answer(
    held: Iterable[Episode], tell: Tell, *, at: float, check: int
) -> dict[str, Episode]:
    """Return held episodes after a person has decided which of them to tell, by hash.

    These are told at the next check if they are still bad. The others stay known.
    """
    return {
        each.key_hash: _fired(each, at, check)
        if _is_chosen(each.key_hash, tell)
        else _moved(each, "known", at, check)
        for each in held
        if each.state == "held"
    }


class _Check:
    """One check, and what has followed from it so far."""

    def __init__(self, rule: Rule, before: RuleState, look: Look) -> None:
        self._rule = rule
        self._before = before
        self._look = look
        self._changed: dict[str, Episode] = {}
        self._new: list[str] = []  # keys that have just been bad for long enough
        self._began: list[str] = []
        self._fired: list[str] = []
        self._over: list[str] = []

    def run(self) -> After:
        bad, is_baseline = self._look.bad, self._is_baseline
        for key, episode in self._before.open.items():
            # Skip episodes that stay as they are, which may be very many.
            if is_baseline or episode.state not in STAYS_WHILE_BAD or key not in bad:
                self._follow(episode, self._look.of(key))
        for key in self._look.bad:
            if key not in self._before.open:
                self._begin(key)
        if self._before.is_stopped:
            # Keys that fired before and weren't told yet wait for a person's decision like new
            # ones.
            self._new += [each for each in self._untold() if each not in self._new]
        held, flapping, is_flood = self._sort_new()
        telling, gathered_until = self._gather(self._untold())
        return After(
            self._changed,
            tuple(self._began),
            tuple(self._fired),
            held,
            tuple(self._over),
            telling,
            flapping,
            self._to_remind({*telling, *self._fired}),
            is_flood,
            gathered_until,
        )

    @property
    def _is_baseline(self) -> bool:
        return self._before.tell is not None

    def _episode(self, key: str) -> Episode:
        return self._changed.get(key) or self._before.open[key]

    def _follow(self, episode: Episode, seen: Literal["bad", "good", "missing"]) -> None:
        """Update an open episode with what was seen of its key."""
        match episode.state, seen:
            case (("pending" | "recovering"), "missing"):
                # This check says nothing about it, so it doesn't count for it.
                self._set(replace(episode, since_check=episode.since_check + 1))
            case _, "missing":
                pass
            case "pending" | "held", "good":
                self._end(episode)
            case "recovering", "good":
                self._recover(episode)
            case _, "good":
                recovering = self._moved(episode, "recovering")
                self._recover(replace(recovering, returns_to=episode.state))
            case "recovering", "bad":
                back: State = "known" if episode.returns_to == "known" else "firing"
                self._set(replace(self._moved(episode, back), returns_to=""))
                self._decide(episode.key_hash)
            case "pending", "bad" if not self._is_baseline:
                self._ripen(episode)
            case _:
                self._decide(episode.key_hash)

    def _begin(self, key: str) -> None:
        """Begin a new episode of a key, unless the rule allows only one and it has had that."""
        past = self._before.past.get(key, NO_PAST)
        named = not isinstance(self._before.tell, str | None) and key in self._before.tell
        if self._rule.once_ever and past.has_been and not named:
            return
        look = self._look
        episode = Episode(key, past.number + 1, "pending", look.at, look.at, look.number)
        self._began.append(key)
        self._set(episode)
        if self._is_baseline:
            self._decide(key)
        else:
            self._ripen(episode)

    def _decide(self, key: str) -> None:
        """In a baseline, make a bad and untold key known or told, as the person wants."""
        tell, episode = self._before.tell, self._episode(key)
        if tell is None or (episode.state == "firing" and episode.is_told):
            return
        if episode.state == "known" and isinstance(tell, str):
            return  # a person has decided about it in an earlier baseline
        if _is_chosen(key, tell):
            self._fire(episode)
        elif episode.state != "known":
            self._set(self._moved(episode, "known"))

    def _ripen(self, episode: Episode) -> None:
        """Make a pending episode fire once it was bad often and long enough."""
        checks = self._look.number - episode.since_check + 1
        seconds = self._look.at - episode.since
        often = checks >= self._rule.pending_checks
        if seconds < 0:  # the clock was set back, so count from now on
            self._set(replace(episode, since=self._look.at))
            seconds = 0
        if often and seconds >= self._rule.pending_minutes * 60:
            self._new.append(episode.key_hash)

    def _recover(self, episode: Episode) -> None:
        """End an episode that was good in enough checks."""
        if self._look.number - episode.since_check + 1 >= self._rule.recovery_checks:
            self._end(episode)
        else:
            self._set(episode)

    def _sort_new(self) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
        """Sort keys that have been bad long enough: they fire, are held, or only the owner is told.

        Returns the keys that are held, those that the owner is told of, and whether there are too
        many at once.
        """
        is_stopped = self._before.is_stopped
        flapping = {each for each in self._new if self._flaps(each) and not is_stopped}
        others = [each for each in self._new if each not in {*flapping, *self._before.muted}]
        most = 0 if is_stopped else self._rule.most_at_once
        is_too_much = len(others) > most or bool(others and self._before.is_crowd)
        is_flood = is_too_much and not self._before.is_held
        held = set(others) if is_flood or self._before.is_held else set()
        for key in self._new:
            if key in held:
                self._set(self._moved(self._episode(key), "held"))
            else:
                # If it flaps, the owner is told in place of its recipients.
                self._fire(self._episode(key), is_told=key in flapping)
        past = self._before.past
        heard_of = [
            each
            for each in self._new
            if each in flapping and not past.get(each, NO_PAST).is_known_to_flap
        ]
        return tuple(each for each in self._new if each in held), tuple(heard_of), is_flood

    def _flaps(self, key: str) -> bool:
        return self._before.past.get(key, NO_PAST).fired_lately >= MOST_EPISODES_A_DAY

    def _untold(self) -> list[str]:
        """Return the firing keys whose recipients have yet to be told."""
        found = {**self._before.open, **self._changed}
        return [
            key
            for key, each in found.items()
            if each.state == "firing" and not each.is_told and key not in self._before.muted
        ]

    def _gather(self, untold: list[str]) -> tuple[tuple[str, ...], float | None]:
        """Return the keys to tell now, and until when the others are gathered."""
        until, now = self._before.gathered_until, self._look.at
        if not untold:
            return (), None
        seconds = self._rule.gather_minutes * 60
        if not seconds or self._is_baseline:
            return tuple(untold), None
        if until is None or until > now + seconds:  # the clock was set back
            return (), now + seconds
        return (tuple(untold), None) if until <= now else ((), until)

    def _to_remind(self, just_told: Set[str]) -> tuple[str, ...]:
        """Return the keys that a reminder is due for."""
        seconds = self._rule.reminder_minutes * 60
        if self._before.is_stopped:
            return ()
        return tuple(
            key
            for key, each in {**self._before.open, **self._changed}.items()
            if each.state == "firing"
            and each.is_told
            and key not in just_told
            and key not in self._before.muted
            and each.reminders < self._rule.reminders
            and each.reminded_at is not None
            and self._look.at - each.reminded_at >= seconds
        )

    def _end(self, episode: Episode) -> None:
        ended = replace(self._moved(episode, "over"), over_at=self._look.at)
        self._over.append(episode.key_hash)
        self._set(ended)

    def _moved(self, episode: Episode, state: State) -> Episode:
        return _moved(episode, state, self._look.at, self._look.number)

    def _fire(self, episode: Episode, *, is_told: bool = False) -> None:
        fired = _fired(episode, self._look.at, self._look.number)
        self._fired.append(episode.key_hash)
        self._set(replace(fired, is_told=is_told))

    def _set(self, episode: Episode) -> None:
        if episode != self._before.open.get(episode.key_hash):
            self._changed[episode.key_hash] = episode


def _moved(episode: Episode, state: State, at: float, check: int) -> Episode:
    return replace(episode, state=state, since=at, since_check=check)


def _fired(episode: Episode, at: float, check: int) -> Episode:
    return replace(_moved(episode, "firing", at, check), fired_at=at, is_told=False)


def _is_chosen(key_hash: str, tell: Tell) -> bool:
    return tell == "all" if isinstance(tell, str) else key_hash in tell
