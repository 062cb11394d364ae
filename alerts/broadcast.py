"""A broadcast: many alerts with one title. What it is called, and how far it has come.

A broadcast to more people than one person may send to needs a second person's yes: an approval.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Self

from alerts.alert import Alert, AlertRequest
from alerts.errors import UnusableInput
from alerts.message.compose import MOST_LABEL_CHARACTERS, check_labels
from alerts.phone_numbers import shortened
from alerts.status import Stage

MOST_TITLE_CHARACTERS = 60
# A broadcast is saved in one transaction, and other writers wait for it.
MOST_ALERTS = 1000
# Shorter than an alert's id may be, because the ids of its alerts begin with it.
MOST_ID_CHARACTERS = 150
TEMPLATE_PARTS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
OVER: Mapping[str, str] = {
    "sent": "{by} has said yes already: it was sent.",
    "refused": "{by} has said no: nothing was sent.",
    "stopped": "{by} stopped everything: nothing was sent.",
    "expired": "Nobody said yes in time: nothing was sent. Ask again if it is still needed.",
}


class UnusableRequest(UnusableInput):
    """One of many requests that can't be sent, so that none was: the one at `place`, from 0.

    `problem` is the sentence without the words that say which one it is.
    """

    def __init__(self, place: int, request: AlertRequest, problem: UnusableInput) -> None:
        super().__init__(problem.field, f"{_label(request, place)}: {problem}")
        self.place = place
        self.problem = str(problem)


@dataclass(frozen=True, slots=True)
class Broadcast:
    """Many alerts with one title, sent by `sender` ("" without a name)."""

    id: str
    title: str
    sender: str
    created_at: datetime


# What each count of a tally is called, in the order in which people read them.
WORDS = {
    "confirmed": "confirmed",
    "reached": "reached",
    "under_way": "under way",
    "waiting": "waiting",
    "not_reached": "not reached",
}
# An alert that waits for its turn, its next try or the morning is waiting. One that isn't known to
# have reached a person counts as not reached, also if it was canceled.
COUNTED_AS = {
    Stage.CONFIRMED: "confirmed",
    Stage.REACHED: "reached",
    Stage.UNDER_WAY: "under_way",
    Stage.QUEUED: "waiting",
    Stage.NOT_REACHED: "not_reached",
    Stage.UNKNOWN: "not_reached",
    Stage.CANCELED: "not_reached",
}


@dataclass(frozen=True, slots=True)
class Tally:
    """How many alerts of a broadcast have come how far; `asks` if they ask to be confirmed."""

    confirmed: int = 0
    reached: int = 0
    under_way: int = 0
    waiting: int = 0
    not_reached: int = 0
    asks: bool = False

    @classmethod
    def of(cls, alerts: Iterable[Alert]) -> Self:
        """Count the alerts."""
        all_of_them = list(alerts)
        counts = Counter(COUNTED_AS[each.stage] for each in all_of_them)
        return cls(**counts, asks=any(each.request.acknowledge for each in all_of_them))

    @property
    def total(self) -> int:
        """How many alerts there are."""
        return self.done + self.under_way + self.waiting

    @property
    def done(self) -> int:
        """How many have ended, one way or the other."""
        return self.confirmed + self.reached + self.not_reached

    @property
    def all_reached(self) -> bool:
        """Whether everybody was reached, and has confirmed it if they were asked to."""
        return self.confirmed + self.reached == self.total

    @property
    def headline(self) -> str:
        """How many were reached: "18 of 20 reached", or "1 of 3 confirmed" if they were asked."""
        if self.asks:
            return f"{self.confirmed} of {self.total} confirmed"
        return f"{self.confirmed + self.reached} of {self.total} reached"

    @property
    def details(self) -> str:
        """How many have come how far, in words: "2 reached, 1 not reached"; without zeros."""
        counts = {words: getattr(self, field) for field, words in WORDS.items()}
        return ", ".join(f"{count} {words}" for words, count in counts.items() if count)


def not_reached(alerts: Iterable[Alert]) -> list[Alert]:
    """Return those that have ended without reaching their recipient, in their order."""
    return [each for each in alerts if COUNTED_AS[each.stage] == "not_reached"]


def title_from(request: AlertRequest) -> str:
    """Return a title for a broadcast that was given none: the first words of its message.

    What is filled in for each recipient is left out.
    """
    words = request.message
    if request.template:
        words = TEMPLATE_PARTS.sub(" … ", words)
    words = re.sub(r"\s+([.,:;!?])", r"\1", " ".join(words.split()))
    if len(words) <= MOST_TITLE_CHARACTERS:
        return words
    cut = words[: MOST_TITLE_CHARACTERS - 1]
    whole_words = cut.rpartition(" ")[0] if " " in cut else cut
    return f"{whole_words.rstrip(' .,:;!?…')}…"


def check_broadcast(requests: Sequence[AlertRequest], title: str, broadcast_id: str) -> None:
    """Raise `UnusableInput` for what can't be a broadcast, before its alerts are looked at."""
    if not requests:
        raise UnusableInput("phone_number", "Name at least one recipient.")
    if len(requests) > MOST_ALERTS:
        raise UnusableInput(
            "phone_number",
            f"A broadcast holds {MOST_ALERTS:,} alerts at most; this one has {len(requests):,}. "
            "Send it in parts.",
        )
    if len(broadcast_id) > MOST_ID_CHARACTERS:
        raise UnusableInput(
            "id", f"The id of a broadcast holds {MOST_ID_CHARACTERS} characters at most."
        )
    if len(title) > MOST_LABEL_CHARACTERS or not title.isprintable():
        raise UnusableInput(
            "title", f"A title is one line of {MOST_LABEL_CHARACTERS} characters at most."
        )
    if any(each.id is not None for each in requests):
        raise UnusableInput(
            "id", "The alerts of a broadcast get their ids from it: name only the broadcast's own."
        )
    check_labels(replace(requests[0], id=broadcast_id))


def with_ids(requests: Sequence[AlertRequest], broadcast_id: str) -> list[AlertRequest]:
    """Return a broadcast's requests with ids that follow from its own and the recipients' numbers.

    So the same broadcast sent twice is the same alerts. The numbers are as in `PhoneNumber.dialed`;
    a number that occurs several times gets as many alerts.
    """
    found: list[AlertRequest] = []
    count: Counter[str] = Counter()
    for each in requests:
        count[each.to] += 1
        # A digest, because ids appear in addresses and logs, where phone numbers shouldn't.
        digest = hashlib.sha256(each.to.encode()).hexdigest()[:12]
        place = f"-{count[each.to]}" if count[each.to] > 1 else ""
        found.append(replace(each, id=f"{broadcast_id}-{digest}{place}", broadcast=broadcast_id))
    return found


def _label(request: AlertRequest, place: int) -> str:
    """Return what a sentence calls one request of many: its name and its number as typed."""
    parts = [each for each in (shortened(request.name), shortened(request.to)) if each]
    return ", ".join(parts) or f"Recipient {place + 1}"


def written_words(request: AlertRequest) -> tuple[str, ...]:
    """Return a key that is the same for two requests that say the same words.

    `{{ now }}` is the same in both, while variables of a request's own count with their values.
    """
    message = request.message.strip()
    used = sorted(request.variables.items()) if request.template else ()
    return message, *(f"{name}={value}" for name, value in used if name in message)


ApprovalState = Literal["waiting", "sent", "refused", "stopped", "expired"]


@dataclass(frozen=True, slots=True)
class Approval:
    """A broadcast that a person has asked for, and what became of that.

    Once it is sent, the broadcast has the same `id`. It can't be approved after `expires_at`.
    """

    id: str
    title: str
    requests: tuple[AlertRequest, ...]
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    state: ApprovalState = "waiting"
    decided_by: str = ""
    decided_at: datetime | None = None

    @property
    def outcome(self) -> str:
        """What became of it, in a sentence; "" while it waits."""
        return OVER.get(self.state, "").format(by=self.decided_by)

    def is_of(self, person: str) -> bool:
        """Whether this person asked for it."""
        return _is_same(person, self.asked_by)

    def was_decided_by(self, person: str) -> bool:
        """Whether this person said yes or no to it, or stopped everything."""
        return self.decided_at is not None and _is_same(person, self.decided_by)


def _is_same(person: str, other: str) -> bool:
    return person.strip().casefold() == other.strip().casefold()
