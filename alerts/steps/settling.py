"""What became of a request to Twilio whose answer never came."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import sqlalchemy as sa

from alerts.alert import Alert, Problem
from alerts.keeping import attempts
from alerts.keeping.attempts import Attempt, Outcome
from alerts.status import Status
from alerts.steps import outcomes
from alerts.steps.courier import Courier
from alerts.steps.lookup import Made, look_up
from twilio_client import TwilioError

FIRST_WAIT = 0.25  # seconds
LONGEST_WAIT = 15.0
OTHER_WORDS = Problem(
    None,
    "Twilio has a text to this number with other words: nobody can tell whether it is this one.",
    outcomes.LOOK_YOURSELF,
)


async def settle(courier: Courier, request: Attempt, *, inherited: bool) -> bool:
    """Look until it is known; true if Twilio surely never got it, so that it may be made again.

    Otherwise Twilio has it, and the history then knows its SID; or its fate can't be learnt.
    One that is `inherited` was made by another process, and may still be on its way.
    """
    patience, began, wait = courier.means.patience, time.monotonic(), FIRST_WAIT
    enough = patience.settling + (_seconds_on_its_way(courier, request) if inherited else 0)
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
            if passed >= patience.looking_up:
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
        lambda connection: attempts.unsettled(connection, account_sid, alert.id, number)
    )
    if request is not None:
        await settle(courier, request, inherited=True)


def _seconds_on_its_way(courier: Courier, request: Attempt) -> float:
    """How much longer at most."""
    means = courier.means
    age = datetime.now(UTC) + means.twilio.clock_offset - request.at
    # Whoever wrote its time down may not have known Twilio's clock.
    return means.patience.requesting - max(0.0, min(age.total_seconds(), means.patience.requesting))


async def _is_settled(courier: Courier, request: Attempt) -> bool:
    """Whether a callback told meanwhile."""
    return await courier.history.read(
        lambda connection: attempts.is_settled(connection, request.id)
    )


async def _look_up(courier: Courier, request: Attempt) -> Made | None:
    means, history = courier.means, courier.history
    alert = await courier.alert(request.alert_id)
    return await look_up(
        means.twilio,
        channel=request.channel,
        to=request.to,
        from_=means.sender(request.channel),
        text=alert.message,
        since=request.at,
        clock_offset=request.clock_offset,
        taken=lambda sids: history.read(lambda connection: attempts.taken(connection, sids)),
    )


async def _is_adopted(courier: Courier, request: Attempt, sid: str) -> bool:
    """Take it to be ours; false if it is somebody else's, as of now."""
    try:
        await outcomes.placed(courier, request, sid, "Twilio has it: found in its list", "lookup")
    except sa.exc.IntegrityError:
        return False
    return True
