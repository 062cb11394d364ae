"""What became of a request to Twilio whose answer never came."""

from __future__ import annotations

import asyncio
import time

import sqlalchemy as sa

from alerts.alert import Alert
from alerts.keeping import attempts
from alerts.keeping.attempts import Attempt, Outcome
from alerts.status import Status
from alerts.steps import outcomes
from alerts.steps.courier import Courier
from alerts.steps.lookup import find_ours
from twilio_client import TwilioError

FIRST_WAIT = 0.25  # seconds
LONGEST_WAIT = 15.0


async def settle(courier: Courier, request: Attempt) -> bool:
    """Look until it is known; true if Twilio surely never got it, so that it may be made again.

    Otherwise Twilio has it, and the history then knows its SID; or its fate can't be learnt.
    """
    patience, began, wait = courier.means.patience, time.monotonic(), FIRST_WAIT
    while not await _is_settled(courier, request):
        passed = time.monotonic() - began
        try:
            if await _adopt(courier, request):
                break
            if passed >= patience.settling:
                note = "Twilio never got it: asking again"
                await outcomes.released(courier, request, Outcome.NEVER_ARRIVED, note, None)
                return True
        except TwilioError as problem:
            if passed >= patience.looking_up:
                note = "Nobody can tell whether Twilio has it"
                await outcomes.given_up(courier, request, note, problem)
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
    request = await courier.history.read(
        lambda connection: attempts.unsettled(connection, alert.id, alert.try_number)
    )
    if request is not None:
        await settle(courier, request)


async def _is_settled(courier: Courier, request: Attempt) -> bool:
    """Whether a callback told meanwhile."""
    return await courier.history.read(
        lambda connection: attempts.is_settled(connection, request.id)
    )


async def _adopt(courier: Courier, request: Attempt) -> bool:
    """Take what Twilio has to be ours; false if there is nothing. Raises `TwilioError`."""
    means, history = courier.means, courier.history
    alert = await courier.alert(request.alert_id)
    sid = await find_ours(
        means.twilio,
        channel=request.channel,
        to=request.to,
        from_=means.sender(request.channel),
        text=alert.message if request.channel == "text" else None,
        since=request.at,
        clock_offset=request.clock_offset,
        taken=lambda sids: history.read(lambda connection: attempts.taken(connection, sids)),
    )
    if sid is None:
        return False
    try:
        await outcomes.placed(courier, request, sid, "Twilio has it: found in its list", "lookup")
    except sa.exc.IntegrityError:
        return False  # somebody else's, as of now
    return True
