"""Appending events to alerts, and what else is written with an event, in one transaction.

Each function works inside the caller's transaction, and can safely run again when it isn't known
whether that was committed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from access.audit import write_entries
from access.audit_entry import AuditEntry
from alerts import submissions, texting_states
from alerts.alert import Alert, Event
from alerts.emergency_stop import lock_sending
from alerts.limits import UNLIMITED, Allowance, Hold, Limits
from alerts.records import CHOSEN, NEW_EVENT, OURS, alert_of, event_row, read, state_row
from alerts.state import STATE_FIELDS, apply
from alerts.status import Status
from alerts.submissions import Outcome, Settlement, Submission
from alerts.tables import alerts

# A wait this short isn't worth asking the database again.
NEGLIGIBLE_WAIT_SECONDS = 0.02

# Every event needs these statements. They are built once, because building one takes as long as
# running it. Rows are locked in the same order everywhere, so that no two transactions deadlock.
LOCKED = CHOSEN.order_by(alerts.c.id).with_for_update()
DUE_NOW = sa.update(alerts).where(*OURS).values(due_at=alerts.c.created_at)
CHANGING = (*STATE_FIELDS, "stage", "is_open", "channel", "to_number", "revision")
NEW_STATE = (
    sa.update(alerts)
    .where(alerts.c.account_sid == sa.bindparam("account"), alerts.c.id == sa.bindparam("alert_id"))
    .values({name: sa.bindparam(name) for name in CHANGING})
)


@dataclass(frozen=True, slots=True)
class BeginSubmission:
    """Save `submission` if it may be made now, in a slot of the account's rate."""

    submission: Submission
    per_second: float
    has_slot: bool


@dataclass(frozen=True, slots=True)
class BeginResult:
    """Whether a submission was saved and may be made.

    If not, one of these is the reason: another submission to the number is unsettled
    (`number_is_busy`), its slot comes only in `wait_seconds`, a limit holds it back, or everything
    is stopped. If none of them is set, the alert doesn't need it any more.
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
    """Record the event only if the alert hasn't been canceled yet."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event of an alert, and what else to write or check in the same transaction."""

    alert_id: str
    event: Event
    more: BeginSubmission | Settlement | Reported | Abandoned | UnlessEnding | None = None
    audit: AuditEntry | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded event: its number, and the alert after it, without its older events."""

    number: int
    alert: Alert


def append(
    connection: sa.Connection,
    account_sid: str,
    entries: Sequence[Entry],
    limits: Limits = UNLIMITED,
) -> list[tuple[Recorded | None, BeginResult | None]]:
    """Record events and what belongs to them, in a few statements however many events there are.

    Returns for each entry what was recorded, None for an unknown alert or an unmet condition; and
    for an entry with `BeginSubmission`, whether its submission may be made.
    """
    appending = _Appending(connection, account_sid, entries, limits)
    outcomes = [appending.append(entry) for entry in entries]
    appending.finish()
    done = [each.audit for each, (kept, _) in zip(entries, outcomes, strict=True) if kept]
    if audited := [each for each in done if each]:
        write_entries(connection, audited)
    return outcomes


def append_to_known(
    connection: sa.Connection,
    entries: Sequence[Entry],
    *,
    account_sid: str,
    limits: Limits,
    known: Mapping[str, Alert],
) -> list[tuple[Alert | None, BeginResult | None]]:
    """Do the same as `append`, and return the alert after each entry with all its events.

    `known` are alerts that the caller knows, by their ids: their older events needn't be read.
    """
    appended = append(connection, account_sid, entries, limits)
    changed = {kept.alert.id for kept, _ in appended if kept}
    newest = {each: alert for each in changed if (alert := known.get(each))}
    unknown = [each for each in changed if each not in newest]
    found = read(connection, account_sid, unknown) if unknown else {}
    outcomes: list[tuple[Alert | None, BeginResult | None]] = []
    for kept, begun in appended:
        alert = None
        if kept is not None:
            alert_id = kept.alert.id
            alert = with_story(kept, newest.get(alert_id))
            if alert is None and alert_id not in found:
                found |= read(connection, account_sid, [alert_id])
            alert = newest[alert_id] = alert or found[alert_id]
        outcomes.append((alert, begun))
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
        self._delivered: dict[str, float] = {}
        self._settlements: list[Settlement] = []
        self._submissions: list[Submission] = []
        begins = [each.more for each in entries if isinstance(each.more, BeginSubmission)]
        begins = [each for each in begins if self._wants(each.submission)]
        self._allowance: Allowance | None = None
        self._is_stopped = False
        if begins:
            self._is_stopped = lock_sending(connection, account_sid) is not None
            wanted_ones = [each.submission for each in begins]
            self._allowance = Allowance.read(connection, account_sid, limits, wanted_ones)
        self._waits = self._reserve(begins)
        settling = [
            each.more.submission_id
            for each in entries
            if isinstance(each.more, Settlement) and each.more.outcome is not Outcome.PLACED
        ]
        self._unsettled = submissions.those_unsettled(connection, settling) if settling else set()

    def append(self, entry: Entry) -> tuple[Recorded | None, BeginResult | None]:
        if entry.alert_id not in self._alerts:
            return None, None
        if isinstance(entry.more, BeginSubmission):
            return self._append_begin(entry, entry.more)
        return (self._keep(entry) if self._write_more(entry) else None), None

    def finish(self) -> None:
        """Write what hasn't been written yet."""
        if self._submissions:
            submissions.begin(self._connection, self._submissions)
        self._write_settlements()
        if self._new_events:
            self._connection.execute(NEW_EVENT, self._new_events)
            changed = sorted({row["alert_id"] for row in self._new_events})
            self._connection.execute(NEW_STATE, [self._parameters(each) for each in changed])
        if self._sent_now:
            # It may have been deferred: then any worker claims it now.
            wanted = {"account": self._account_sid, "alert_ids": self._sent_now}
            self._connection.execute(DUE_NOW, wanted)
        self._clear_texting_states()

    def _append_begin(
        self, entry: Entry, begin: BeginSubmission
    ) -> tuple[Recorded | None, BeginResult]:
        begun = self._begin(begin)
        if begun.hold:
            return self._keep_hold(entry, begun.hold), begun
        is_first = self._alerts[entry.alert_id].status is Status.QUEUED
        return (self._keep(entry) if begun.is_begun and is_first else None), begun

    def _write_more(self, entry: Entry) -> bool:
        """Write what belongs to the event; false if the entry's condition isn't met."""
        row, number = self._rows[entry.alert_id], entry.event.try_number
        match entry.more:
            case Settlement() as settlement:
                return self._settle(entry, settlement)
            case Reported(sid):
                return self._claim_sid(entry, sid)
            case UnlessEnding():
                return not self._is_ending(entry.alert_id)
            case Abandoned():
                submissions.settle_try(self._connection, row, number, Outcome.UNKNOWN)
        return True

    def _keep(self, entry: Entry) -> Recorded:
        row = self._rows[entry.alert_id]
        alert = self._alerts[entry.alert_id] = apply(self._alerts[entry.alert_id], entry.event)
        row |= state_row(alert) | {"revision": row["revision"] + 1}
        new = event_row(entry.alert_id, self._account_sid, row["revision"], alert.events[-1])
        self._new_events.append(new)
        if alert.events[-1].send_now and alert.send_now:
            self._sent_now.append(entry.alert_id)
        self._learn_about_number(alert, alert.events[-1])
        return Recorded(row["revision"], alert)

    def _learn_about_number(self, alert: Alert, event: Event) -> None:
        """Remember whether texts can go to a number, if the event of a try says so."""
        made = alert.tries[event.try_number - 1]
        if made.channel != "text" or not event.news:
            return
        if event.status is Status.DELIVERED and event.source != "callboard":
            before = self._delivered.get(made.to, 0.0)
            self._delivered[made.to] = max(before, event.at.timestamp())
        code = event.error.code if event.error else None
        if why := texting_states.ERRORS.get(code or 0):
            self._clear_texting_states()  # first what was learned before this event
            texting_states.mark(self._connection, self._account_sid, made.to, why, event.at)

    def _clear_texting_states(self) -> None:
        if self._delivered:
            texting_states.clear(self._connection, self._account_sid, self._delivered)
            self._delivered = {}

    def _wants(self, submission: Submission) -> bool:
        """Whether the alert's try has yet to be placed."""
        alert = self._alerts.get(submission.alert_id)
        if alert is None or alert.status.final or alert.canceling or alert.sid:
            return False
        return alert.try_number == submission.try_number

    def _begin(self, begin: BeginSubmission) -> BeginResult:
        submission = begin.submission
        if not self._wants(submission):
            return BeginResult()
        if busy := self._busy_with(submission):
            # If the transaction runs again, the submission is there already and needs no second
            # slot.
            is_ours = busy == submission.id
            return BeginResult(is_begun=is_ours, number_is_busy=not is_ours)
        if self._is_stopped:
            return BeginResult(is_stopped=True)
        if hold := self._hold(begin):
            return BeginResult(hold=hold)
        wait = self._waits.get(submission.id, 0.0)
        if wait > NEGLIGIBLE_WAIT_SECONDS:
            return BeginResult(wait_seconds=wait)
        if self._allowance:
            self._allowance.take(submission)
        self._submissions.append(submission)
        return BeginResult(is_begun=True)

    def _hold(self, begin: BeginSubmission) -> Hold | None:
        alert = self._alerts[begin.submission.alert_id]
        return self._allowance.hold(alert, begin.submission) if self._allowance else None

    def _keep_hold(self, entry: Entry, hold: Hold) -> Recorded | None:
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
        return (
            self._allowance.busy.get((submission.channel, submission.to))
            if self._allowance
            else None
        )

    def _reserve(self, begins: Sequence[BeginSubmission]) -> dict[str, float]:
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
        channel_of = attrgetter("submission.channel")
        without.sort(key=channel_of)
        for channel, some in groupby(without, key=channel_of):
            alike = list(some)
            slots = submissions.reserve_slots(
                self._connection, self._account_sid, channel, alike[0].per_second, len(alike)
            )
            waits |= {each.submission.id: slot for each, slot in zip(alike, slots, strict=True)}
        return waits

    def _settle(self, entry: Entry, settlement: Settlement) -> bool:
        """Settle a submission; false if the event about that comes too late, and may be wrong.

        Only a SID counts once it is known otherwise what became of the submission or of its try,
        such as by a callback.
        """
        is_placed = settlement.outcome is Outcome.PLACED
        is_open = is_placed or settlement.submission_id in self._unsettled
        if is_open:
            self._unsettled.discard(settlement.submission_id)
            self._settlements.append(settlement)
        alert = self._alerts[entry.alert_id]
        has_sid = alert.try_number == entry.event.try_number and alert.sid is not None
        return is_placed or (is_open and not has_sid)

    def _claim_sid(self, entry: Entry, sid: str | None) -> bool:
        """Whether the event is about a try that was made and, with `sid`, that is the try's SID."""
        row, number = self._rows[entry.alert_id], entry.event.try_number
        if not 1 <= number <= row["try_number"]:
            return False
        self._write_settlements()
        return sid is None or submissions.claim_sid(self._connection, row, number, sid)

    def _write_settlements(self) -> None:
        if self._settlements:
            submissions.settle(self._connection, self._settlements)
            self._settlements = []

    def _parameters(self, alert_id: str) -> dict[str, Any]:
        """The parameters of NEW_STATE."""
        row = self._rows[alert_id]
        key = {"account": self._account_sid, "alert_id": alert_id}
        return key | {name: row[name] for name in CHANGING}


def with_story(kept: Recorded, known: Alert | None) -> Alert | None:
    """The alert with all its events, if `known` is the alert right before the recorded one."""
    if known is None or len(known.events) != kept.number - 1:
        return None
    return replace(kept.alert, events=(*known.events, kept.alert.events[-1]))
