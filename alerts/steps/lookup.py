"""Finding the call or text that an unanswered request made, in Twilio's list of recent ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta
from operator import itemgetter

from alerts.alert import Channel
from twilio_client import Call, Message, TwilioClient

# Dates have whole seconds on both sides, and the way there takes time.
MARGIN = timedelta(seconds=5)
# The list is in order of date, but which date a call that waited goes by isn't said.
OUT_OF_ORDER = timedelta(hours=1)
OUR_DIRECTION = "outbound-api"
# Twilio keeps it in the body of the resource.
TRIAL_PREFIX = "Sent from your Twilio trial account - "


async def find_ours(
    twilio: TwilioClient,
    *,
    channel: Channel,
    to: str,
    from_: str,
    text: str | None,
    since: datetime,
    clock_offset: timedelta | None = None,
    taken: Callable[[Sequence[str]], Awaitable[Collection[str]]],
) -> str | None:
    """The SID of the oldest call or text that the request can have made; None if there is none.

    That is one to `to` from `from_` (a number, or a messaging service's SID), for a text with the
    words `text`, made `since` then, and not among those that `taken` gives back: another alert's.
    `clock_offset` is how far Twilio's clock is ahead of the one that `since` is by; None for this
    machine's, as Twilio's answers tell. Raises `TwilioError`.
    """
    ours: list[tuple[float, str]] = []
    async for row in _newest(twilio, channel, to, from_):
        # Asked for here: the answer that brought the row may have told anew how far clocks differ.
        offset = twilio.clock_offset if clock_offset is None else clock_offset
        age = _seconds_after(row, since, offset)
        if age < -OUT_OF_ORDER.total_seconds():
            break
        if age >= -MARGIN.total_seconds() and _fits(row, to, from_, text):
            ours.append((age, row.sid))
    if not ours:
        return None
    others = await taken([sid for _, sid in ours])
    # Of those made within the same second the list has the oldest last.
    ours.reverse()
    ours.sort(key=itemgetter(0))
    return next((sid for _, sid in ours if sid not in others), None)


def _newest(
    twilio: TwilioClient, channel: Channel, to: str, from_: str
) -> AsyncIterator[Call] | AsyncIterator[Message]:
    # No filter by date: Twilio's are by the day, and leave out what hasn't been dialled or sent.
    if channel == "call":
        return twilio.list_calls(to=to, from_=from_)
    return twilio.list_messages(to=to, from_=None if _is_service(from_) else from_)


def _seconds_after(row: Call | Message, since: datetime, clock_offset: timedelta) -> float:
    """How long after `since` it was made, in seconds."""
    if row.date_created is None:
        return float("inf")  # Twilio dates a call when it leaves the queue: it is brand new.
    return (row.date_created - since - clock_offset).total_seconds()


def _fits(row: Call | Message, to: str, from_: str, text: str | None) -> bool:
    if row.to != to or row.direction not in {None, OUR_DIRECTION}:
        return False
    if isinstance(row, Call):
        return row.from_ == from_
    sender = row.messaging_service_sid if _is_service(from_) else row.from_
    return sender == from_ and (text is None or _words(row.body or "") == _words(text))


def _words(text: str) -> list[str]:
    """What makes two texts the same: Twilio may change white space, and puts an advertisement
    before those of trial accounts."""
    return text.removeprefix(TRIAL_PREFIX).split()


def _is_service(sender: str) -> bool:
    return sender.startswith("MG")
