"""How one alert travels: compose, publish, place, follow."""

from __future__ import annotations

import asyncio
import getpass
import random
from collections.abc import Callable
from datetime import UTC, datetime

from alerts.alert import Alert, AlertRequest, Channel, Event, Problem
from alerts.compose import Composed, compose
from alerts.follow import follow
from alerts.means import Means
from alerts.status import Status
from storage import Instructions, StorageError
from twilio_client import TwilioError, TwilioRateLimited, TwilioUncertain, TwilioUnreachable

# A request that was never processed may be made again; each wait is in seconds.
WAITS_BETWEEN_TRIES = (0.5, 2.0)
# However long Twilio asks us to wait: somebody is waiting for us.
LONGEST_WAIT = 10.0

Record = Callable[[Alert], Alert]


async def deliver(alert_id: str, request: AlertRequest, means: Means, record: Record) -> None:
    """Send one alert and follow it to its end, telling `record` of every step.

    Raises `UnusableInput` before anything is recorded; whatever fails later is in the alert.
    """
    composed = compose(request, means.regions)
    alert = record(_written(alert_id, request, composed, means))
    try:
        instructions = await publish(alert, composed, request.user or login_name(), means)
        alert = record(_stored(alert, instructions, means))
        sid = await place(alert, instructions, means)
        alert = record(alert.with_event(Status.PLACED, "Twilio has it", sid=sid))
    except (StorageError, TwilioError) as problem:
        record(_failed(alert, problem))
        return
    async for seen in follow(means.twilio, alert.channel, sid):
        alert = record(alert.with_event(seen.status, seen.note, error=seen.error))


async def publish(alert: Alert, composed: Composed, user: str, means: Means) -> Instructions | None:
    """Put a call's document where Twilio can read it; a text needs none.

    Its name tells people who look there when it was made and for whom.
    """
    if composed.document is None:
        return None
    name = f"{alert.events[0].at:%Y-%m-%d-%H%M}-{user}"
    return await means.storage.publish(name, composed.document.to_xml())


async def place(alert: Alert, instructions: Instructions | None, means: Means) -> str:
    """Ask Twilio to call or text; gives the SID.

    Tries again only where Twilio surely did nothing: its answer "too fast", or no connection.
    """
    for wait in WAITS_BETWEEN_TRIES:
        try:
            return await _ask_twilio(alert, instructions, means)
        except TwilioRateLimited as too_fast:
            asked = min(too_fast.retry_after or wait, LONGEST_WAIT)
            await asyncio.sleep(asked * random.uniform(1, 1.3))  # noqa: S311
        except TwilioUnreachable:
            await asyncio.sleep(wait * random.uniform(1, 1.3))  # noqa: S311
    return await _ask_twilio(alert, instructions, means)


async def _ask_twilio(alert: Alert, instructions: Instructions | None, means: Means) -> str:
    if instructions is not None:
        call = await means.twilio.create_call(
            to=alert.to, from_=alert.from_, url=instructions.url, twiml=instructions.twiml
        )
        return call.sid
    service = means.messaging_service_sid
    message = await means.twilio.create_message(
        to=alert.to,
        body=alert.message,
        from_=None if service else alert.from_,
        messaging_service_sid=service,
    )
    return message.sid


def _sender(channel: Channel, means: Means) -> str:
    """The caller ID, or the messaging service that picks a number for a text."""
    if channel == "text" and means.messaging_service_sid:
        return means.messaging_service_sid
    return means.from_number


def _written(alert_id: str, request: AlertRequest, composed: Composed, means: Means) -> Alert:
    return Alert(
        id=alert_id,
        channel=request.channel,
        to=composed.to.e164,
        from_=_sender(request.channel, means),
        message=composed.text,
        events=(Event(datetime.now(UTC), Status.QUEUED, "Written and checked"),),
    )


def _stored(alert: Alert, instructions: Instructions | None, means: Means) -> Alert:
    if instructions is None:
        return alert.with_event(Status.SENDING, "On its way to Twilio")
    note = f"Stored in {means.storage.label}"
    return alert.with_event(Status.SENDING, note, twiml_url=instructions.url)


def _failed(alert: Alert, problem: StorageError | TwilioError) -> Alert:
    status = Status.FAILED
    match problem:
        case StorageError():
            note = "Not stored, so not sent"
        case TwilioUncertain():
            status, note = Status.UNKNOWN, "Twilio didn't confirm it"
        case TwilioUnreachable() | TwilioRateLimited():
            note = "Not sent: Twilio couldn't take it"
        case _:
            note = "Twilio refused it"
    return alert.with_event(status, note, error=Problem.of(problem))


def login_name() -> str:
    """Who runs this, as far as the machine knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such user in this container
        return "callboard"
