"""Step 3: asking Twilio for a call or a text, exactly once.

Twilio has no idempotency key. So each request is written down before it is made; where its answer
is missing, Twilio's own list tells whether it went through before it is made again.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from alerts.keeping import attempts
from alerts.keeping.attempts import Attempt, Outcome
from alerts.status import Status
from alerts.steps import outcomes
from alerts.steps.beginning import begin
from alerts.steps.courier import Courier
from alerts.steps.publishing import still_good
from alerts.steps.requesting import Superseded, ask_twilio
from alerts.steps.settling import settle
from storage import Instructions
from twilio_client import TwilioError, TwilioRateLimited, TwilioUncertain, TwilioUnreachable


async def place(
    courier: Courier, alert_id: str, try_number: int, instructions: Instructions | None
) -> None:
    """Bring one try of an alert to Twilio, or to its end: refused, canceled, or unknown.

    May be begun again at any moment, in any process: what was asked before is found again.
    """
    failures = 0
    request = inherited = await _begun_before(courier, alert_id, try_number)
    while request is None or await settle(courier, request, inherited=request is inherited):
        instructions = await still_good(courier, alert_id, try_number, instructions)
        request = await begin(courier, alert_id, try_number, instructions)
        if request is None:
            return
        try:
            sid = await ask_twilio(courier, request, instructions)
        except Superseded:
            continue  # and see what became of it
        except TwilioUncertain as problem:
            note = "Twilio didn't confirm it: looking it up"
            await outcomes.troubled(courier, request, note, problem)
        except (TwilioUnreachable, TwilioRateLimited) as problem:
            if await _is_enough(courier, request):
                note = "Not sent: Twilio couldn't take it"
                await outcomes.refused(courier, request, note, problem)
                return
            await _wait_and_release(courier, request, problem, failures)
            request, failures = None, failures + 1
        except TwilioError as problem:
            await outcomes.refused(courier, request, "Twilio refused it", problem)
            return
        else:
            await outcomes.placed(courier, request, sid, "Twilio has it")
            return


async def _begun_before(courier: Courier, alert_id: str, try_number: int) -> Attempt | None:
    """What was asked before this process or another was interrupted, if it isn't settled."""
    alert = await courier.alert(alert_id)
    if alert.status is Status.QUEUED:
        return None  # the first request is written down together with the status that follows
    history = courier.history
    return await history.read(
        lambda connection: attempts.unsettled(connection, history.account_sid, alert_id, try_number)
    )


async def _is_enough(courier: Courier, request: Attempt) -> bool:
    alert = await courier.alert(request.alert_id)
    return datetime.now(UTC) - alert.since > timedelta(seconds=courier.means.patience.trying)


async def _wait_and_release(
    courier: Courier, request: Attempt, problem: TwilioError, failures: int
) -> None:
    """Nothing was processed: the next request may come in a while, unless somebody cancels."""
    too_fast = isinstance(problem, TwilioRateLimited)
    note = "Twilio asks to wait" if too_fast else "Twilio is out of reach"
    await outcomes.released(courier, request, Outcome.NEVER_SENT, f"{note}: trying again", problem)
    asked = problem.retry_after if isinstance(problem, TwilioRateLimited) else None
    with suppress(TimeoutError):
        await courier.history.until(
            request.alert_id,
            lambda alert: alert.canceling or alert.status.final,
            courier.means.patience.wait(failures, asked),
        )
