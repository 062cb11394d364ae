"""Finding the call or text that an unanswered request made, in Twilio's list of recent ones."""

from __future__ import annotations

import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.alert import Channel
from twilio_client import Call, Message, TwilioClient

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
