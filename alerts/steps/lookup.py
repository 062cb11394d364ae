"""Finding the call or text that an unanswered request made, in Twilio's list of recent ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta
from operator import itemgetter

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


async def find_ours(
    twilio: TwilioClient,
    *,
    channel: Channel,
    to: str,
    from_: str,
    text: str | None,
    since: datetime,
    taken: Callable[[Sequence[str]], Awaitable[Collection[str]]],
) -> str | None:
    """The SID of the call or text that the request has most likely made; None if there is none.

    That is one to `to` from `from_` (a number, or a messaging service's SID), for a text with the
    words `text`, not among those that `taken` gives back (another alert's), and made `since` then,
    which is Twilio's time: the oldest. If there is none, the newest of the two minutes before
    will do. Raises `TwilioError`.
    """
    ours: list[tuple[bool, float, str]] = []
    async for row in _newest(twilio, channel, to, from_):
        age = _seconds_after(row, since)
        if age < -OUT_OF_ORDER.total_seconds():
            break
        if age >= -MARGIN.total_seconds() and _fits(row, to, from_, text):
            ours.append((age < -A_MOMENT.total_seconds(), abs(age), row.sid))
    if not ours:
        return None
    others = await taken([sid for *_, sid in ours])
    # Of those made within the same second the list has the oldest last.
    ours.reverse()
    ours.sort(key=itemgetter(0, 1))
    return next((sid for *_, sid in ours if sid not in others), None)


def _newest(
    twilio: TwilioClient, channel: Channel, to: str, from_: str
) -> AsyncIterator[Call] | AsyncIterator[Message]:
    # No filter by date: Twilio's are by the day, and leave out what hasn't been dialled or sent.
    if channel == "call":
        return twilio.list_calls(to=to, from_=from_)
    return twilio.list_messages(to=to, from_=None if _is_service(from_) else from_)


def _seconds_after(row: Call | Message, since: datetime) -> float:
    """How long after `since` it was made, in seconds."""
    if row.date_created is None:
        return float("inf")  # Twilio dates a call when it leaves the queue: it is brand new.
    return (row.date_created - since).total_seconds()


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
