"""One entry of the audit trail: who did what, to what, when and from where."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Self

from access.actor import Actor

MOST_CHARACTERS = 200  # of a name


class Action(StrEnum):
    """What was done. In its words "{}" stands for what it was done to."""

    SIGNED_IN = "Signed in"
    SIGNED_OUT = "Signed out"
    SIGNED_OUT_ALL = "Signed out {} everywhere"
    REFUSED = "Was refused {}"
    SENT = "Sent {}"
    ASKED = "Asked a second person about {}"
    APPROVED = "Said yes to {}"
    DENIED = "Said no to {}"
    SENT_NOW = "Let {} wait no longer"
    CANCELED = "Canceled {}"
    ADDED = "Added {}"
    CHANGED = "Changed {}"
    RENAMED = "Renamed {}"
    REMOVED = "Removed {}"
    PUT_INTO = "Put {} into a group"
    TAKEN_OUT = "Took {} out of a group"
    IMPORTED = "Imported {}"
    EXPORTED = "Exported {}"
    UPLOADED = "Uploaded {}"
    TURNED_ON = "Turned on {}"
    TURNED_OFF = "Turned off {}"
    CHECKED = "Checked {}"
    DECIDED = "Decided about what was held by {}"
    MUTED = "Muted {}"
    UNMUTED = "Unmuted {}"
    STOPPED = "Stopped {}"
    LIFTED = "Lifted {}"


# The noun before the name of a thing. People and alerts need none.
NOUNS = {
    "Groups": "the group", "Templates": "the template", "Rules": "the rule",
    "Sources": "the source", "Users": "the user",
}  # fmt: skip


class Kind(StrEnum):
    """What kind of thing it was done to, in the words of the list's filter."""

    ALERTS = "Alerts"
    PEOPLE = "People"
    GROUPS = "Groups"
    TEMPLATES = "Templates"
    RULES = "Rules"
    SOURCES = "Sources"
    SIGN_IN = "Sign-in"
    USERS = "Users"
    SETTINGS = "Settings"
    EMERGENCY_STOP = "Emergency stop"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What an actor did.

    `about_id` is the id of what it was done to, "" for several things, and `about` its name for
    people. `details` are short, and never hold secrets. `at` is in UTC; `id` is unique and in the
    order of time.
    """

    id: str
    at: datetime
    actor: str
    place: str
    action: Action
    kind: Kind
    about_id: str = ""
    about: str = ""
    details: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """What was done, as a sentence without who did it: "Canceled an alert to Ben Adeyemi"."""
        return self.action.value.format(self._what)

    @property
    def more_words(self) -> str:
        """The details in words, without what `words` say already; "" if there are none."""
        more = {name: value for name, value in self.details.items() if value != self.about}
        parts = [f"{name.replace('_', ' ')}: {value}" for name, value in more.items()]
        words = " · ".join(parts)
        return words[:1].upper() + words[1:]

    @property
    def _what(self) -> str:
        if self.kind is Kind.ALERTS and self.about_id:
            return f"{self.about} (broadcast)" if self.is_broadcast else f"an alert to {self.about}"
        noun = NOUNS.get(self.kind.value, "") if self.about_id else ""
        return f"{noun} {self.about}".strip()

    @property
    def is_broadcast(self) -> bool:
        """Whether it is about a broadcast."""
        return self.kind is Kind.ALERTS and "alerts" in self.details

    @classmethod
    def by(
        cls,
        actor: Actor,
        action: Action,
        kind: Kind,
        about: str = "",
        about_id: str = "",
        **details: str | int,
    ) -> Self:
        """Return the entry of what an actor does now."""
        now = datetime.now(UTC)
        return cls(
            new_id(now),
            now,
            _cut(actor.name),
            actor.where,
            action,
            kind,
            about_id,
            _cut(about),
            {
                name: _cut(value) if isinstance(value, str) else value
                for name, value in details.items()
            },
        )


def new_id(moment: datetime) -> str:
    """Return a new id of an entry: the microseconds since 1970, and 32 random bits."""
    return first_id(moment) + secrets.token_hex(4)


def first_id(moment: datetime) -> str:
    """Return a text that sorts before the ids of all entries made at this moment or later."""
    return f"{int(moment.timestamp() * 1_000_000):016x}"


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"
