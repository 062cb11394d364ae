"""What became of a request to Twilio whose answer never came."""

from __future__ import annotations

import asyncio
import time
import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from alerts import submissions
from alerts.alert import Alert, Channel, Problem
from alerts.status import Status
from alerts.steps import outcomes
from alerts.steps.courier import Courier
from alerts.submissions import Outcome, Submission
from twilio_client import Call, Message, TwilioClient, TwilioError

FIRST_WAIT = 0.25  # seconds
LONGEST_WAIT = 15.0
OTHER_WORDS = Problem(
    None,
    "Twilio has a text to this number with other words: nobody can tell whether it is this one.",
    outcomes.LOOK_YOURSELF,
)


async def settle(courier: Courier, request: Submission, *, inherited: bool) -> bool:
    """Look until it is known; true if Twilio surely never got it, so that it may be made again.

    Otherwise Twilio has it, and the history then knows its SID; or its fate can't be learnt.
    One that is `inherited` was made by another process, and may still be on its way.
    """
    retry_policy, began, wait = courier.services.retry_policy, time.monotonic(), FIRST_WAIT
    enough = retry_policy.settling + (_seconds_on_its_way(courier, request) if inherited else 0)
    while not await _is_settled(courier, request):
        passed = time.monotonic() - began
        try:
            made = await _look_up(courier, request)
            if made and made.surely:
                if await _is_adopted(courier, request, made.sid):
                    break
            elif passed >= enough:
                if made:
                    await outcomes.given_up(courier, request, OTHER_WORDS)
                    break
                note = "Twilio never got it: asking again"
                await outcomes.released(courier, request, Outcome.NEVER_ARRIVED, note, None)
                return True
        except TwilioError as problem:
            if passed >= retry_policy.looking_up:
                await outcomes.given_up(courier, request, Problem.of(problem))
                break
        await asyncio.sleep(wait)
        wait = min(wait * 2, LONGEST_WAIT)
    return False


async def settle_what_is_left(courier: Courier, alert: Alert) -> None:
    """Of an alert that ended while a request of its was under way, whose process then died.

    As long as that isn't settled, no other request to the number is made.
    """
    was_begun = any(
        event.status is Status.SENDING and event.try_number == alert.try_number
        for event in alert.events
    )
    if alert.sid or not was_begun:
        return
    account_sid, number = courier.history.account_sid, alert.try_number
    request = await courier.history.read(
        lambda connection: submissions.unsettled(connection, account_sid, alert.id, number)
    )
    if request is not None:
        await settle(courier, request, inherited=True)


def _seconds_on_its_way(courier: Courier, request: Submission) -> float:
    """How much longer at most."""
    services = courier.services
    age = datetime.now(UTC) + services.twilio.clock_offset - request.at
    # Whoever wrote its time down may not have known Twilio's clock.
    return services.retry_policy.requesting - max(
        0.0, min(age.total_seconds(), services.retry_policy.requesting)
    )


async def _is_settled(courier: Courier, request: Submission) -> bool:
    """Whether a callback told meanwhile."""
    return await courier.history.read(
        lambda connection: submissions.is_settled(connection, request.id)
    )


async def _look_up(courier: Courier, request: Submission) -> Made | None:
    services, history = courier.services, courier.history
    alert = await courier.alert(request.alert_id)
    return await look_up(
        services.twilio,
        channel=request.channel,
        to=request.to,
        from_=services.sender(request.channel),
        text=alert.message,
        since=request.at,
        clock_offset=request.clock_offset,
        taken=lambda sids: history.read(lambda connection: submissions.taken(connection, sids)),
    )


async def _is_adopted(courier: Courier, request: Submission, sid: str) -> bool:
    """Take it to be ours; false if it is somebody else's, as of now."""
    try:
        await outcomes.placed(courier, request, sid, "Twilio has it: found in its list", "lookup")
    except sa.exc.IntegrityError:
        return False
    return True


# The process that asked may not have known yet how far its clock was from Twilio's.
MARGIN = timedelta(minutes=2)
# Dates have whole seconds on both sides, and the way there takes time.
A_MOMENT = timedelta(seconds=5)
# The list is in order of date, but which date a call that waited goes by isn't said.
OUT_OF_ORDER = timedelta(hours=1)
OUR_DIRECTION = "outbound-api"
# Twilio keeps it in the body of the resource.
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
    """A call or text that the request has made, `surely` or maybe: its words are others."""

    sid: str
    surely: bool


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
        made = Made(row.sid, surely=isinstance(row, Call) or _words(row.body) == _words(text))
        if age >= -(MARGIN if made.surely else A_MOMENT) and _fits(row, to, from_):
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
    return not made.surely, age < -A_MOMENT, abs(age)


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
