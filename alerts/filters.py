"""What people look for in the history, and what a list shows them.

In a file of its own, so that a page can show its filters without importing SQLAlchemy.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from alerts.alert import Alert, Channel
from alerts.broadcast import Broadcast
from alerts.errors import UnusableInput
from alerts.phone_numbers import Regions, read_number
from alerts.status import Stage

# Counts stop here: no one needs more exact ones, and counting a million takes long.
MOST_COUNTED = 10_000
# https://www.twilio.com/docs/glossary/what-is-a-sid
SID = re.compile(r"(CA|SM|MM)[0-9a-f]{32}", re.IGNORECASE)
# What people type between the digits of a number.
NUMBER = re.compile(r"[+(]?[\d\s().\-/+]{7,24}")


class Kind(StrEnum):
    """The kinds of alerts that people ask for: the stages, but an alert due later is waiting."""

    UNDER_WAY = "under way"
    CONFIRMED = "confirmed"
    REACHED = "reached"
    NOT_REACHED = "not reached"
    WAITING = "waiting"
    UNKNOWN = "unknown"
    CANCELED = "canceled"


STAGES_OF_KIND: dict[Kind, tuple[Stage, ...]] = {
    Kind.UNDER_WAY: (Stage.QUEUED, Stage.UNDER_WAY),
    Kind.CONFIRMED: (Stage.CONFIRMED,),
    Kind.REACHED: (Stage.REACHED,),
    Kind.NOT_REACHED: (Stage.NOT_REACHED,),
    Kind.WAITING: (Stage.QUEUED,),
    Kind.UNKNOWN: (Stage.UNKNOWN,),
    Kind.CANCELED: (Stage.CANCELED,),
}


@dataclass(frozen=True, slots=True)
class Filters:
    """Which alerts to look for; a filter that is None or "" lets all through.

    `since` (inclusive) and `until` (exclusive) are about when they were saved. `number` is in E.164
    and may be any of an alert's numbers. `person` has words of the recipient's name, `words` of
    message or name; of the last word its beginning is enough. `sid` is a call's or text's, or an
    alert's own id. `broadcast` is a broadcast's id, `rule` a rule's. With `singly`, no broadcast
    becomes one row.
    """

    since: datetime | None = None
    until: datetime | None = None
    kind: Kind | None = None
    channel: Channel | None = None
    sender: str | None = None
    broadcast: str = ""
    rule: str = ""
    person: str = ""
    number: str = ""
    words: str = ""
    sid: str = ""
    singly: bool = False

    @property
    def groups_broadcasts(self) -> bool:
        """Whether a list shows a broadcast as one row: not if the filters ask for single people."""
        asked = (self.kind, self.channel, self.broadcast, self.rule, self.sid)
        return not any((self.singly, *asked, self.person, self.number, self.words))


@dataclass(frozen=True, slots=True)
class CountedBroadcast(Broadcast):
    """A broadcast, and how many alerts it has of each kind."""

    counts: Mapping[Kind, int]
    message: str = ""
    acknowledge: bool = False

    @property
    def people(self) -> int:
        """How many alerts it has."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class ListRow:
    """A row of a list, an alert or a whole broadcast, and its position."""

    position: int
    alert: Alert | None = None
    broadcast: CountedBroadcast | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, newest first, and whether there are newer and older ones."""

    rows: tuple[ListRow, ...]
    has_newer: bool
    has_older: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """How many alerts there are of each kind; of the kinds in `at_least` there may be more."""

    of: Mapping[Kind, int]
    at_least: frozenset[Kind] = field(default_factory=frozenset)

    @property
    def total(self) -> int:
        """How many there are of all kinds."""
        return sum(self.of.values())


def with_text(filters: Filters, text: str, regions: Regions) -> Filters:
    """Return filters that also ask for what is typed into a box: a SID, a number, or words."""
    text = text.strip()
    if SID.fullmatch(text):
        return replace(filters, sid=text[:2].upper() + text[2:].lower())
    if number := number_in(text, regions):
        return replace(filters, number=number)
    return replace(filters, words=text)


def number_in(text: str, regions: Regions) -> str:
    """Return the phone number that a text is, in E.164; "" if it isn't one."""
    if not NUMBER.fullmatch(text.strip()):
        return ""
    try:
        return read_number(text, regions).e164
    except UnusableInput:
        # It may be a number that could be called before a setting changed.
        return re.sub(r"[^\d+]", "", text) if text.strip().startswith("+") else ""


def kind_at_stage(stage: str, due_at: float, now: float) -> Kind:
    """Return the kind of an alert at a stage. Both times are in seconds since 1970."""
    if stage == Stage.QUEUED:
        return Kind.WAITING if due_at > now else Kind.UNDER_WAY
    return Kind(stage)


@dataclass(frozen=True, slots=True)
class Spent:
    """What Twilio charged so far in `unit` ("USD"), and the tries whose price isn't known yet.

    `estimated` is what those cost by list prices, in US dollars; for `unestimated` tries no list
    price is known either.
    """

    price: float
    unit: str
    estimated: float = 0.0
    unestimated: int = 0


@dataclass(frozen=True, slots=True)
class Overview:
    """The senders' names, the counts of each hour, and what was spent."""

    senders: list[str]
    hours: list[Counter[Kind]]
    spent: Spent


@dataclass(frozen=True, slots=True)
class MadeTry:
    """A try that Twilio accepted; the price is None until Twilio has told it."""

    number: int
    channel: Channel
    sid: str
    price: float | None
    unit: str | None
