"""Which numbers texts can't go to: they texted STOP, or belong to a landline.

Twilio itself refuses texts to a number that texted STOP to ours, until that texts START.
https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import sqlalchemy as sa

from alerts.tables import texting_states
from database.tables import in_parts, upsert

WhyNot = Literal["stop", "landline"]
# What Twilio's error for a text says about the number. https://www.twilio.com/docs/api/errors
ERRORS: Mapping[int, WhyNot] = {21610: "stop", 21614: "landline", 30006: "landline"}

# Every text that arrives needs it. It is built once, because building takes as long as running.
CLEAR = sa.delete(texting_states).where(
    texting_states.c.account_sid == sa.bindparam("account"),
    texting_states.c.number == sa.bindparam("reached"),
    texting_states.c.since <= sa.bindparam("at"),
)


@dataclass(frozen=True, slots=True)
class TextingState:
    """Why texts can't go to a number, and since when: "stop" or "landline"."""

    state: WhyNot
    since: datetime


def texting_states_of(
    connection: sa.Connection, account_sid: str, numbers: Iterable[str]
) -> dict[str, TextingState]:
    """Return the state of each of these numbers (E.164) that texts can't go to."""
    found: dict[str, TextingState] = {}
    for some in in_parts(sorted(set(numbers))):
        chosen = sa.select(texting_states).where(
            texting_states.c.account_sid == account_sid, texting_states.c.number.in_(some)
        )
        for row in connection.execute(chosen):
            since = datetime.fromtimestamp(row.since, UTC)
            found[row.number] = TextingState(row.state, since)
    return found


def mark(
    connection: sa.Connection, account_sid: str, number: str, state: WhyNot, at: datetime
) -> None:
    """Remember why texts can't go to a number since `at`; the same state keeps its first time."""
    row = {
        "number": number,
        "account_sid": account_sid,
        "state": state,
        "since": at.timestamp(),
    }
    upsert(connection, texting_states, row, changed=("state", "since"), unless_same="state")


def clear(connection: sa.Connection, account_sid: str, reached: Mapping[str, float]) -> None:
    """Forget why texts couldn't go to these numbers before the time of each, in seconds since 1970.

    A text has arrived there then, or the number has texted START.
    """
    # In order, so that two transactions rarely deadlock.
    rows = [
        {"account": account_sid, "reached": each, "at": at} for each, at in sorted(reached.items())
    ]
    connection.execute(CLEAR, rows)
