"""A request for a second person's yes: a broadcast to more people than one may reach alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from alerts.alert import AlertRequest

ApprovalState = Literal["waiting", "sent", "refused", "stopped", "expired"]

OVER: Mapping[str, str] = {
    "sent": "{by} has said yes already: it was sent.",
    "refused": "{by} has said no: nothing was sent.",
    "stopped": "{by} stopped everything: nothing was sent.",
    "expired": "Nobody said yes in time: nothing was sent. Ask again if it is still needed.",
}


@dataclass(frozen=True, slots=True)
class Approval:
    """A broadcast that a person has asked for, and what became of that.

    `id` is that of the broadcast too, once it is sent. Nobody may say yes after `expires_at`.
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
        """Whether this person has asked for it."""
        return _is_same(person, self.asked_by)

    def was_decided_by(self, person: str) -> bool:
        """Whether this person said yes or no to it, or stopped everything."""
        return self.decided_at is not None and _is_same(person, self.decided_by)


def _is_same(person: str, other: str) -> bool:
    return person.strip().casefold() == other.strip().casefold()
