"""What became of a request to Twilio whose answer never came: Twilio's own list tells."""

from __future__ import annotations

import asyncio
import time
import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from alerts.alert import Channel, Event, Problem
from alerts.history import History
from alerts.services import Services
from alerts.status import Status
from alerts.submissions import Outcome, Submission
from twilio_client import Call, Message, TwilioClient, TwilioError

FIRST_WAIT_SECONDS = 0.25
LONGEST_WAIT_SECONDS = 15.0
LOOK_YOURSELF = (
    "It may have been sent: look at the recent calls and messages in Twilio's console before you "
    "send it again."
)
OTHER_WORDS = Problem(
    None,
    "Twilio has a text to this number with other words: nobody can tell whether it is this one.",
    LOOK_YOURSELF,
)
# The process that asked may not have known yet how far its clock was from Twilio's.
CLOCK_MARGIN = timedelta(minutes=2)
# Dates have whole seconds on both sides, and the way there takes time.
ROUNDING = timedelta(seconds=5)
# The list is in order of date, but which date a call that waited goes by isn't said.
OUT_OF_ORDER = timedelta(hours=1)
OUR_DIRECTION = "outbound-api"
# Twilio puts it before texts of trial accounts, in the body of the resource too.
TRIAL_PREFIX = "Sent from your Twilio trial account - "
# What a messaging service does to a text that needn't be UCS-2, as far as people write such things
# and Unicode's own normalization doesn't: quotation marks, dashes, and what can't be seen.
# https://www.twilio.com/docs/messaging/services/smart-encoding-char-list
LOOKALIKES = str.maketrans(
    dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb", '"')
    | dict.fromkeys("\u2018\u2019\u201b\u00b4\u0060", "'")
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2022", "-")
    | dict.fromkeys("\u200b\u2060\ufeff", "")
)


@dataclass(frozen=True, slots=True)
class Made:
    """A call or text that a request has made; with other words than ours that isn't certain."""

    sid: str
    is_certain: bool


async def reconcile(
    services: Services, history: History, submission: Submission, *, inherited: bool
) -> bool:
    """Look until it is known what became of a submission; true if Twilio never got it.

    Then it may be made again. Otherwise Twilio has it, and the history then knows its SID; or its
    fate can't be learnt. One that is `inherited` was made by another process, and may still be on
    its way.
    """
    policy, began, wait = services.retry_policy, time.monotonic(), FIRST_WAIT_SECONDS
    enough = policy.listing_seconds
    if inherited:
        enough += _seconds_on_its_way(services, submission)
    # A callback may tell meanwhile.
    while not await history.is_settled(submission):
        passed = time.monotonic() - began
        try:
            made = await _look_up(services, history, submission)
            if made and made.is_certain:
                if await _adopt(history, submission, made.sid):
                    break
            elif passed >= enough:
                if made:
                    await _give_up(history, submission, OTHER_WORDS)
                    break
                note = "Twilio never got it: asking again"
                await report_trouble(history, submission, note, None, Outcome.NEVER_ARRIVED)
                return True
        except TwilioError as problem:
            if passed >= policy.lookup_seconds:
                await _give_up(history, submission, Problem.of(problem))
                break
        await asyncio.sleep(wait)
        wait = min(wait * 2, LONGEST_WAIT_SECONDS)
    return False


async def report_trouble(
    history: History,
    submission: Submission,
    note: str,
    problem: TwilioError | None,
    outcome: Outcome | None = None,
) -> None:
    """Let people see what is going on, the same trouble once; `outcome` settles the submission."""
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
    """Nobody will ever learn whether Twilio has it."""
    event = _event(submission, Status.UNKNOWN, "Not known whether it was sent", None)
    event = replace(event, error=replace(why, hint=LOOK_YOURSELF))
    await history.settle(submission, Outcome.UNKNOWN, event)


async def _adopt(history: History, submission: Submission, sid: str) -> bool:
    """Take what Twilio lists as the submission's; false if it has just become another's."""
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
    """How much longer it may be on its way, at most."""
    longest = services.retry_policy.request_seconds
    age = datetime.now(UTC) + services.twilio.clock_offset - submission.at
    # The process that wrote its time down may not have known Twilio's clock.
    return longest - max(0.0, min(age.total_seconds(), longest))


async def _look_up(services: Services, history: History, submission: Submission) -> Made | None:
    alert = await history.get(submission.alert_id)
    return await look_up(
        services.twilio,
        channel=submission.channel,
        to=submission.to,
        from_=services.sender(submission.channel),
        text=alert.message if alert else "",
        since=submission.at,
        clock_offset=submission.clock_offset,
        taken=history.taken,
    )


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
) -> Made | None:
    """What the request has most likely made; None if it is none of what Twilio lists.

    That is a call or text to `to` from `from_` (a number, or a messaging service's SID), with the
    words `text`, made `since` then, which is Twilio's time, and not among those that `taken` gives
    back (another alert's): the oldest. Failing that, the newest of the two minutes before will do.

    A text with other words may be the one as well, for Twilio shortens links, and forgets what a
    text said where it is told to. Or it is another program's. Raises `TwilioError`.

    `clock_offset` is what was known of Twilio's clock when `since` was written down in this
    process: what has been learnt since then counts too.
    """
    possible: list[tuple[timedelta, Made]] = []
    async for row in _newest(twilio, channel, to, from_):
        # Asked for here: the answer that brought the row may be the first to tell of that clock.
        learnt = timedelta() if clock_offset is None else twilio.clock_offset - clock_offset
        age = _time_after(since + learnt, row)
        if age < -OUT_OF_ORDER:
            break
        made = Made(row.sid, is_certain=isinstance(row, Call) or _words(row.body) == _words(text))
        if age >= -(CLOCK_MARGIN if made.is_certain else ROUNDING) and _fits(row, to, from_):
            possible.append((age, made))
    if not possible:
        return None
    others = await taken([made.sid for _, made in possible])
    # Of those made within the same second the list has the oldest last.
    possible.reverse()
    possible.sort(key=_likeliest_first)
    return next((made for _, made in possible if made.sid not in others), None)


def _likeliest_first(aged: tuple[timedelta, Made]) -> tuple[bool, bool, timedelta]:
    age, made = aged
    return not made.is_certain, age < -ROUNDING, abs(age)


def _newest(
    twilio: TwilioClient, channel: Channel, to: str, from_: str
) -> AsyncIterator[Call] | AsyncIterator[Message]:
    # No filter by date: Twilio's are by the day, and leave out what hasn't been dialled or sent.
    if channel == "call":
        return twilio.list_calls(to=to, from_=from_)
    return twilio.list_messages(to=to, from_=None if _is_service(from_) else from_)


def _time_after(since: datetime, row: Call | Message) -> timedelta:
    """How long after `since` it was made."""
    # Twilio dates a call when it leaves the queue: one without a date is brand new.
    return row.date_created - since if row.date_created else timedelta.max


def _fits(row: Call | Message, to: str, from_: str) -> bool:
    if row.to != to or row.direction not in {None, OUR_DIRECTION}:
        return False
    if isinstance(row, Message) and _is_service(from_):
        return row.messaging_service_sid == from_
    return row.from_ == from_


def _words(text: str | None) -> list[str]:
    """What makes two texts the same: Twilio may change white space and signs, and puts an
    advertisement before those of trial accounts."""
    written = (text or "").removeprefix(TRIAL_PREFIX).translate(LOOKALIKES)
    return unicodedata.normalize("NFKC", written).split()


def _is_service(sender: str) -> bool:
    return sender.startswith("MG")
