"""Reading and writing alerts and their events, inside the caller's transaction.

Each function can safely run again when it isn't known whether the transaction was committed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from access.audit import write_entries
from access.audit_entry import AuditEntry
from alerts import submissions, texting_states
from alerts.alert import Alert, Event
from alerts.emergency_stop import lock_sending
from alerts.limits import UNLIMITED, Hold, Limits, Room
from alerts.state import STATE_FIELDS, apply
from alerts.status import Status
from alerts.submissions import Outcome, Settlement, Submission
from alerts.tables import (
    NewAlert,
    alert_of,
    alerts,
    event_of,
    event_row,
    events,
    new_alert,
    new_alert_row,
    state_row,
)
from alerts.words import add_words

# A wait this short isn't worth asking the database again.
NEGLIGIBLE_WAIT_SECONDS = 0.02

# Every event needs these statements. They are built once, for building takes as long as running.
OURS = (
    alerts.c.account_sid == sa.bindparam("account"),
    alerts.c.id.in_(sa.bindparam("alert_ids", expanding=True)),
)
CHOSEN = sa.select(alerts).where(*OURS)
# Rows are locked in the same order everywhere, so that no two transactions deadlock.
LOCKED = CHOSEN.order_by(alerts.c.id).with_for_update()
REVISIONS = sa.select(alerts.c.id, alerts.c.revision).where(*OURS)
STORIES = (
    sa.select(events)
    .where(
        events.c.account_sid == sa.bindparam("account"),
        events.c.alert_id.in_(sa.bindparam("alert_ids", expanding=True)),
    )
    .order_by(events.c.number)
)
DUE_NOW = sa.update(alerts).where(*OURS).values(due_at=alerts.c.created_at)
NEW_ALERT = sa.insert(alerts)
NEW_EVENT = sa.insert(events)
CHANGING = (*STATE_FIELDS, "stage", "is_open", "channel", "to_number", "revision")
NEW_STATE = (
    sa.update(alerts)
    .where(alerts.c.account_sid == sa.bindparam("account"), alerts.c.id == sa.bindparam("alert_id"))
    .values({name: sa.bindparam(name) for name in CHANGING})
)


@dataclass(frozen=True, slots=True)
class Begin:
    """Save `submission` if it may be made now, in a slot of the account's rate."""

    submission: Submission
    per_second: float
    has_slot: bool


@dataclass(frozen=True, slots=True)
class Begun:
    """Whether a submission was saved and may be made.

    If not: another one to the number is unsettled (`number_is_busy`), or its slot comes only in
    `wait_seconds`, or a limit holds it back, or everything is stopped, or, with none of these, the
    alert doesn't need it any more.
    """

    is_begun: bool = False
    number_is_busy: bool = False
    wait_seconds: float = 0.0
    hold: Hold | None = None
    is_stopped: bool = False


@dataclass(frozen=True, slots=True)
class Reported:
    """Record the event only if its try was made and, with `sid`, if that is the try's SID."""

    sid: str | None


@dataclass(frozen=True, slots=True)
class Abandoned:
    """Settle the try's open submission, if there is one, as unknown."""


@dataclass(frozen=True, slots=True)
class UnlessEnding:
    """Record the event only if nobody has asked for the alert to end yet."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event of an alert, and what else to write or check in the same transaction."""

    alert_id: str
    event: Event
    more: Begin | Settlement | Reported | Abandoned | UnlessEnding | None = None
    audit: AuditEntry | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A recorded event: its number, and the alert after it, without its older events."""

    number: int
    alert: Alert


def add(
    connection: sa.Connection,
    account_sid: str,
    new: Sequence[NewAlert],
    *,
    now: datetime,
    first_position: int,
    known: Mapping[str, float],
    worker_id: str | None = None,
    audit: AuditEntry | None = None,
) -> list[Alert]:
    """Save new alerts, each with its first event, and return them; known ones stay as they are.

    No two of them have the same id. Their positions in lists count up from `first_position`.
    `known` is when those were saved that are known already, as `check_asking` returns it. `audit`
    is written if any alert is new.
    """
    added: list[Alert] = []
    rows: list[dict[str, Any]] = []
    first_events: list[dict[str, Any]] = []
    for position, each in enumerate(new, start=first_position):
        # Told by their time, so that the answer is the same if all of this runs again.
        if known.get(each.id, now.timestamp()) != now.timestamp():
            continue
        alert = new_alert(each, now)
        added.append(alert)
        if each.id not in known:
            row = new_alert_row(alert, each, account_sid, position)
            rows.append(row | {"claimed_by": worker_id})
            first_events.append(event_row(each.id, account_sid, 1, alert.events[0]))
    if rows:
        connection.execute(NEW_ALERT, rows)
        connection.execute(NEW_EVENT, first_events)
    add_words(connection, account_sid, [(each.id, each.request) for each in added])
    write_entries(connection, [audit] if audit and added else [])
    return added


def read(connection: sa.Connection, account_sid: str, alert_ids: Iterable[str]) -> dict[str, Alert]:
    """The alerts with all their events, by id; unknown ids are left out."""
    ids = list(alert_ids)
    stories: dict[str, list[Event]] = {each: [] for each in ids}
    wanted = {"account": account_sid, "alert_ids": ids}
    # Alerts first: then no event up to an alert's revision is missing, and newer ones are cut off.
    found = connection.execute(CHOSEN, wanted).mappings().all()
    for row in connection.execute(STORIES, wanted).mappings():
        stories[row["alert_id"]].append(event_of(row))
    return {row["id"]: alert_of(row, stories[row["id"]][: row["revision"]]) for row in found}


def revisions(
    connection: sa.Connection, account_sid: str, alert_ids: Iterable[str]
) -> dict[str, int]:
    """How many events each alert has; unknown ids are left out."""
    wanted = {"account": account_sid, "alert_ids": list(alert_ids)}
    return {row.id: row.revision for row in connection.execute(REVISIONS, wanted)}


def append(
    connection: sa.Connection,
    account_sid: str,
    entries: Sequence[Entry],
    limits: Limits = UNLIMITED,
) -> list[tuple[Kept | None, Begun | None]]:
    """Record events and what belongs to them, in few statements however many there are.

    Returns for each entry what was recorded, None for an unknown alert or an unmet condition; and
    for an entry with `Begin`, whether its submission may be made.
    """
    appending = _Appending(connection, account_sid, entries, limits)
    outcomes = [appending.append(entry) for entry in entries]
    appending.finish()
    return outcomes


class _Appending:
    """The alerts that a transaction appends events to, and what it has yet to write."""

    def __init__(
        self,
        connection: sa.Connection,
        account_sid: str,
        entries: Sequence[Entry],
        limits: Limits,
    ) -> None:
        self._connection = connection
        self._account_sid = account_sid
        wanted = {"account": account_sid, "alert_ids": [each.alert_id for each in entries]}
        found = connection.execute(LOCKED, wanted)
        self._rows: dict[str, dict[str, Any]] = {row["id"]: dict(row) for row in found.mappings()}
        self._alerts = {alert_id: alert_of(row) for alert_id, row in self._rows.items()}
        self._new_events: list[dict[str, Any]] = []
        self._sent_now: list[str] = []
        self._delivered: list[str] = []
        self._settlements: list[Settlement] = []
        self._submissions: list[Submission] = []
        begins = [each.more for each in entries if isinstance(each.more, Begin)]
        begins = [each for each in begins if self._wants(each.submission)]
        self._room: Room | None = None
        self._is_stopped = False
        if begins:
            self._is_stopped = lock_sending(connection, account_sid) is not None
            wanted_ones = [each.submission for each in begins]
            self._room = Room.read(connection, account_sid, limits, wanted_ones)
        self._waits = self._reserve(begins)

    def append(self, entry: Entry) -> tuple[Kept | None, Begun | None]:
        if entry.alert_id not in self._alerts:
            return None, None
        match entry.more:
            case Begin() as begin:
                begun = self._begin(begin)
                if begun.hold:
                    return self._keep_hold(entry, begun.hold), begun
                is_first = self._alerts[entry.alert_id].status is Status.QUEUED
                kept = self._keep(entry) if begun.is_begun and is_first else None
                return kept, begun
            case Settlement() as settlement:
                self._settlements.append(settlement)
            case Reported(sid) if not self._is_of_a_try(entry, sid):
                return None, None
            case UnlessEnding() if self._is_ending(entry.alert_id):
                return None, None
            case Abandoned():
                row, number = self._rows[entry.alert_id], entry.event.try_number
                submissions.settle_try(self._connection, row, number, Outcome.UNKNOWN)
        return self._keep(entry), None

    def finish(self) -> None:
        """Write what hasn't been written yet."""
        if self._submissions:
            submissions.begin(self._connection, self._submissions)
        self._settle()
        if self._new_events:
            self._connection.execute(NEW_EVENT, self._new_events)
            changed = sorted({row["alert_id"] for row in self._new_events})
            self._connection.execute(NEW_STATE, [self._parameters(each) for each in changed])
        if self._sent_now:
            # It may have been deferred: then any worker claims it now.
            wanted = {"account": self._account_sid, "alert_ids": self._sent_now}
            self._connection.execute(DUE_NOW, wanted)
        if self._delivered:
            latest = max(row["at"] for row in self._new_events)
            texting_states.clear(self._connection, self._account_sid, self._delivered, latest)

    def _keep(self, entry: Entry) -> Kept:
        row = self._rows[entry.alert_id]
        alert = self._alerts[entry.alert_id] = apply(self._alerts[entry.alert_id], entry.event)
        row |= state_row(alert) | {"revision": row["revision"] + 1}
        new = event_row(entry.alert_id, self._account_sid, row["revision"], alert.events[-1])
        self._new_events.append(new)
        if alert.events[-1].send_now and alert.send_now:
            self._sent_now.append(entry.alert_id)
        self._learn_about_number(alert, alert.events[-1])
        return Kept(row["revision"], alert)

    def _learn_about_number(self, alert: Alert, event: Event) -> None:
        """Remember that texts can or can't go to a number, if the event of a try tells."""
        made = alert.tries[event.try_number - 1]
        if made.channel != "text" or not event.news:
            return
        if event.status is Status.DELIVERED and event.source != "callboard":
            self._delivered.append(made.to)
        code = event.error.code if event.error else None
        if why := texting_states.ERRORS.get(code or 0):
            texting_states.mark(self._connection, self._account_sid, made.to, why, event.at)

    def _wants(self, submission: Submission) -> bool:
        """Whether the alert's try has yet to be placed."""
        alert = self._alerts.get(submission.alert_id)
        if alert is None or alert.status.final or alert.canceling or alert.sid:
            return False
        return alert.try_number == submission.try_number

    def _begin(self, begin: Begin) -> Begun:
        submission = begin.submission
        if not self._wants(submission):
            return Begun()
        if busy := self._busy_with(submission):
            # Already there if the transaction runs again: then it needs no other slot.
            is_ours = busy == submission.id
            return Begun(is_begun=is_ours, number_is_busy=not is_ours)
        if self._is_stopped:
            return Begun(is_stopped=True)
        if hold := self._hold(begin):
            return Begun(hold=hold)
        wait = self._waits.get(submission.id, 0.0)
        if wait > NEGLIGIBLE_WAIT_SECONDS:
            return Begun(wait_seconds=wait)
        if self._room:
            self._room.take(submission)
        self._submissions.append(submission)
        return Begun(is_begun=True)

    def _hold(self, begin: Begin) -> Hold | None:
        alert = self._alerts[begin.submission.alert_id]
        return self._room.hold(alert, begin.submission) if self._room else None

    def _keep_hold(self, entry: Entry, hold: Hold) -> Kept | None:
        """Record that a limit holds a try back, unless the alert's story says so already."""
        alert = self._alerts[entry.alert_id]
        if (alert.held_until, alert.held_for) == (hold.until, hold.why):
            return None
        return self._keep(Entry(entry.alert_id, hold.event(alert, entry.event.at)))

    def _is_ending(self, alert_id: str) -> bool:
        alert = self._alerts[alert_id]
        return alert.canceling or alert.status.final

    def _busy_with(self, submission: Submission) -> str | None:
        """Return the id of the unsettled submission to the number, if there is one."""
        return self._room.busy.get((submission.channel, submission.to)) if self._room else None

    def _reserve(self, begins: Sequence[Begin]) -> dict[str, float]:
        """Reserve slots for submissions without one; the seconds until each, by submission id."""
        waits: dict[str, float] = {}
        without = [
            each
            for each in begins
            if not each.has_slot
            and not self._busy_with(each.submission)
            and not self._is_stopped
            and self._hold(each) is None
        ]
        without.sort(key=_channel)
        for channel, some in groupby(without, key=_channel):
            alike = list(some)
            slots = submissions.reserve_slots(
                self._connection, self._account_sid, channel, alike[0].per_second, len(alike)
            )
            waits |= {each.submission.id: slot for each, slot in zip(alike, slots, strict=True)}
        return waits

    def _is_of_a_try(self, entry: Entry, sid: str | None) -> bool:
        row, number = self._rows[entry.alert_id], entry.event.try_number
        if not 1 <= number <= row["try_number"]:
            return False
        self._settle()
        return sid is None or submissions.claim_sid(self._connection, row, number, sid)

    def _settle(self) -> None:
        if self._settlements:
            submissions.settle(self._connection, self._settlements)
            self._settlements = []

    def _parameters(self, alert_id: str) -> dict[str, Any]:
        """The parameters of NEW_STATE."""
        row = self._rows[alert_id]
        key = {"account": self._account_sid, "alert_id": alert_id}
        return key | {name: row[name] for name in CHANGING}


def with_story(kept: Kept, known: Alert | None) -> Alert | None:
    """The alert with all its events, if `known` is the alert right before the recorded one."""
    if known is None or len(known.events) != kept.number - 1:
        return None
    return replace(kept.alert, events=(*known.events, kept.alert.events[-1]))


def _channel(begin: Begin) -> Any:
    return begin.submission.channel
