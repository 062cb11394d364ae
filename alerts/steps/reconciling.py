"""Reconciling: find in Twilio's list what became of a request whose answer never came."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from alerts.alert import Alert, Channel, Event, Problem
from alerts.errors import UnusableInput
from alerts.history import History
from alerts.message.compose import words_of_text
from alerts.message.segments import is_same_text
from alerts.services import Services
from alerts.status import Status
from alerts.submissions import Outcome, Submission
from twilio_client import Call, Message, TwilioClient, TwilioError

FIRST_LOOKUP_WAIT_SECONDS = 0.25
LONGEST_LOOKUP_WAIT_SECONDS = 15.0
LOOK_BEFORE_RESENDING = (
    "It may have been sent: look at the recent calls and messages in Twilio's console before you "
    "send it again."
)
DIFFERENT_WORDS = Problem(
    None,
    "Twilio has a text to this number with other words, which may or may not be this one.",
    LOOK_BEFORE_RESENDING,
)
# The process that made the request may not have known yet how far its clock was from Twilio's.
CLOCK_MARGIN = timedelta(minutes=2)
# Twilio's dates are in whole seconds, and a request takes time to arrive.
ROUNDING_MARGIN = timedelta(seconds=5)
# The list is in order of date, but Twilio doesn't document which date counts for a call that waited
# in its queue.
LIST_ORDER_MARGIN = timedelta(hours=1)
OUR_DIRECTION = "outbound-api"
# Twilio puts this before the texts of trial accounts, in the body of the resource too.
TRIAL_PREFIX = "Sent from your Twilio trial account - "


@dataclass(frozen=True, slots=True)
class Match:
    """A call or text in Twilio's list that a request may have made.

    It `is_certain` unless it is a text with other words than ours.
    """

    sid: str
    is_certain: bool


async def reconcile(
    services: Services, history: History, submission: Submission, *, inherited: bool
) -> bool:
    """Look until it is known what became of a submission; true if Twilio never got it.

    Then the request may be made again. Otherwise Twilio has it, and the history knows its SID, or
    its outcome can't be found out. An `inherited` submission was made by another process, and its
    request may still be on its way.
    """
    policy, began, wait = services.retry_policy, time.monotonic(), FIRST_LOOKUP_WAIT_SECONDS
    enough = policy.listing_seconds
    if inherited:
        enough += _seconds_on_its_way(services, submission)
    # A callback may settle it meanwhile.
    while present := await history.unless_settled(submission):
        if present.at != submission.at:
            # Its process is alive after all, and has made the request only now.
            submission = replace(present, clock_offset=submission.clock_offset)
            if inherited:
                began = time.monotonic()
                enough = policy.listing_seconds + _seconds_on_its_way(services, submission)
        passed = time.monotonic() - began
        try:
            match = await _look_up(services, history, submission)
            if match and match.is_certain:
                if await _adopt(history, submission, match.sid):
                    break
            elif passed >= enough:
                if match:
                    await _give_up(history, submission, DIFFERENT_WORDS)
                    break
                now = datetime.now(UTC) + services.twilio.clock_offset
                if not inherited or await bar_from_sending(history, submission, now):
                    note = "Twilio never got it: asking again"
                    await report_trouble(history, submission, note, None, Outcome.NEVER_ARRIVED)
                    return True
        except TwilioError as problem:
            if passed >= policy.lookup_seconds:
                await _give_up(history, submission, Problem.of(problem))
                break
        await asyncio.sleep(wait)
        wait = min(wait * 2, LONGEST_LOOKUP_WAIT_SECONDS)
    return False


async def bar_from_sending(history: History, submission: Submission, now: datetime) -> bool:
    """Keep the process that saved a submission from making its request; false if it is too late."""
    if await history.renew(submission, now):
        return True
    # Its process was faster, and makes the request now. But it may also be that everything is
    # stopped: then no process can renew it, so if the time is still the same, none has.
    if not await history.emergency_stop():
        return False
    present = await history.unless_settled(submission)
    return present is not None and present.at == submission.at


async def reconcile_unless_over(
    services: Services, history: History, blocking: Submission, alert: Alert
) -> None:
    """Look until it is known what became of `blocking`, or the waiting alert is canceled."""
    looking = asyncio.create_task(reconcile(services, history, blocking, inherited=True))
    over = asyncio.create_task(
        history.until(alert.id, lambda newest: newest.canceling or newest.status.final)
    )
    try:
        await asyncio.wait({looking, over}, return_when=asyncio.FIRST_COMPLETED)
        if looking.done():
            looking.result()
    finally:
        looking.cancel()
        over.cancel()
        await asyncio.gather(looking, over, return_exceptions=True)


async def report_trouble(
    history: History,
    submission: Submission,
    note: str,
    problem: TwilioError | None,
    outcome: Outcome | None = None,
) -> None:
    """Record a note about a submission, once per try; `outcome` settles the submission as well."""
    alert = await history.get(submission.alert_id)
    notes = {
        event.note
        for event in (alert.events if alert else ())
        if event.try_number == submission.try_number
    }
    event = None if note in notes else _event(submission, None, note, problem)
    if outcome is not None:
        await history.settle(submission, outcome, event)
    elif event is not None:
        await history.record(submission.alert_id, event)


async def _give_up(history: History, submission: Submission, why: Problem) -> None:
    """Settle a submission as unknown: whether Twilio has it can't be found out."""
    event = _event(submission, Status.UNKNOWN, "Not known whether it was sent", None)
    event = replace(event, error=replace(why, hint=LOOK_BEFORE_RESENDING))
    await history.settle(submission, Outcome.UNKNOWN, event)


async def _adopt(history: History, submission: Submission, sid: str) -> bool:
    """Settle a submission with a SID from Twilio's list; false if another one has just taken it."""
    note = "Accepted by Twilio: found in its list"
    event = _event(submission, Status.PLACED, note, None)
    event = replace(event, source="lookup", sid=sid)
    try:
        await history.settle(submission, Outcome.PLACED, event, sid)
    except sa.exc.IntegrityError:
        return False
    return True


def _event(
    submission: Submission, status: Status | None, note: str, problem: TwilioError | None
) -> Event:
    return Event(
        datetime.now(UTC),
        status,
        note,
        try_number=submission.try_number,
        error=Problem.of(problem) if problem else None,
    )


def _seconds_on_its_way(services: Services, submission: Submission) -> float:
    """How much longer the submission's request may be on its way, at most."""
    longest = services.retry_policy.request_seconds
    age = datetime.now(UTC) + services.twilio.clock_offset - submission.at
    # The process that saved the time may not have known Twilio's clock, so the age may be negative.
    return longest - max(0.0, min(age.total_seconds(), longest))


async def _look_up(services: Services, history: History, submission: Submission) -> Match | None:
    alert = await history.get(submission.alert_id)
    return await look_up(
        services.twilio,
        channel=submission.channel,
        to=submission.to,
        from_=services.sender(submission.channel),
        text=_words_sent(alert, submission) if alert else "",
        since=submission.at,
        clock_offset=submission.clock_offset,
        taken=history.taken,
    )


def _words_sent(alert: Alert, submission: Submission) -> str:
    """The words of the submission's text, which were made as of its time; "" for a call."""
    if submission.channel == "call":
        return ""
    try:
        return words_of_text(alert.request, submission.at)
    except UnusableInput:
        return ""  # so it was never sent


async def look_up(
    twilio: TwilioClient,
    *,
    channel: Channel,
    to: str,
    from_: str,
    text: str,
    since: datetime,
    clock_offset: timedelta | None = None,
    taken: Callable[[Sequence[str]], Awaitable[Collection[str]]],
) -> Match | None:
    """Return the call or text in Twilio's list that a request has most likely made, or None.

    It goes to `to` from `from_` (a number, or a messaging service's SID), has the words `text`, and
    isn't among the SIDs that `taken` returns, which belong to other alerts. The oldest made after
    `since`, by Twilio's clock, is most likely; if there is none, the newest of the two minutes
    before that.

    A text with other words is a match that isn't certain: Twilio shortens links, and can be set up
    to forget what a text said. But it may be another program's. Raises `TwilioError`.

    `clock_offset` is what this process knew of Twilio's clock when it saved `since`. What it has
    learned since then is taken into account.
    """
    possible: list[tuple[timedelta, Match]] = []
    async for row in _newest(twilio, channel, to, from_):
        # Read in the loop: the answer with this row may be the first that told Twilio's time.
        correction = timedelta() if clock_offset is None else twilio.clock_offset - clock_offset
        age = _time_after(since + correction, row)
        if age < -LIST_ORDER_MARGIN:
            break
        match = Match(row.sid, is_certain=isinstance(row, Call) or _is_ours(row.body, text))
        margin = CLOCK_MARGIN if match.is_certain else ROUNDING_MARGIN
        if age >= -margin and _fits(row, to, from_):
            possible.append((age, match))
    if not possible:
        return None
    others = await taken([match.sid for _, match in possible])
    # Twilio lists the newest first: reversed, the oldest of one second comes first.
    possible.reverse()
    possible.sort(key=_likeliest_first)
    return next((match for _, match in possible if match.sid not in others), None)


def _likeliest_first(aged: tuple[timedelta, Match]) -> tuple[bool, bool, timedelta]:
    age, match = aged
    return not match.is_certain, age < -ROUNDING_MARGIN, abs(age)


def _newest(
    twilio: TwilioClient, channel: Channel, to: str, from_: str
) -> AsyncIterator[Call] | AsyncIterator[Message]:
    # No filter by date: Twilio filters by the day, and leaves out what hasn't been dialed or sent.
    if channel == "call":
        return twilio.list_calls(to=to, from_=from_)
    return twilio.list_messages(to=to, from_=None if _is_service(from_) else from_)


def _time_after(since: datetime, row: Call | Message) -> timedelta:
    """How long after `since` a call or text was made."""
    # Twilio dates a call when it leaves the queue, so one without a date is brand new.
    return row.date_created - since if row.date_created else timedelta.max


def _fits(row: Call | Message, to: str, from_: str) -> bool:
    if row.to != to or row.direction not in {None, OUR_DIRECTION}:
        return False
    if isinstance(row, Message) and _is_service(from_):
        return row.messaging_service_sid == from_
    return row.from_ == from_


def _is_ours(body: str | None, text: str) -> bool:
    """Whether `body` is our text, as Twilio may have changed it."""
    return is_same_text((body or "").removeprefix(TRIAL_PREFIX), text)


def _is_service(sender: str) -> bool:
    return sender.startswith("MG")
