"""Step 3: asking Twilio for a call or a text, exactly once.

Twilio has no idempotency key. So each request is written down before it is made; where its answer
is missing, Twilio's own list tells whether it went through before it is made again.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from alerts import submissions
from alerts.alert import Event, Try, tries_of
from alerts.status import Status
from alerts.steps import outcomes
from alerts.steps.courier import Courier
from alerts.steps.publishing import still_good
from alerts.steps.reconciling import settle
from alerts.steps.waiting import quiet_until, wait_for_the_morning
from alerts.submissions import Outcome, Submission
from alerts.tables import Row, standing_of
from storage import Instructions
from twilio_client import TwilioError, TwilioRateLimited, TwilioUncertain, TwilioUnreachable
from twilio_client.calls import CallEvent


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


async def _begun_before(courier: Courier, alert_id: str, try_number: int) -> Submission | None:
    """What was asked before this process or another was interrupted, if it isn't settled."""
    alert = await courier.alert(alert_id)
    if alert.status is Status.QUEUED:
        return None  # the first request is written down together with the status that follows
    history = courier.history
    return await history.read(
        lambda connection: submissions.unsettled(
            connection, history.account_sid, alert_id, try_number
        )
    )


async def _is_enough(courier: Courier, request: Submission) -> bool:
    alert = await courier.alert(request.alert_id)
    return datetime.now(UTC) - alert.since > timedelta(seconds=courier.services.retry_policy.trying)


async def _wait_and_release(
    courier: Courier, request: Submission, problem: TwilioError, failures: int
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
            courier.services.retry_policy.wait(failures, asked),
        )


# Seconds that aren't worth a second visit to the database.
AT_ONCE = 0.02
SECONDS_BETWEEN_LOOKS = 0.2


async def begin(
    courier: Courier, alert_id: str, try_number: int, instructions: Instructions | None
) -> Submission | None:
    """Wait for the account's rate and for any other request to the number, then write ours down.

    None if the alert no longer wants it, or not yet, because quiet hours have begun meanwhile.
    """
    alert = await courier.alert(alert_id)
    wanted = tries_of(alert.request)[try_number - 1]
    while True:
        async with courier.turns[wanted.channel]:
            beginning = _Beginning(courier, alert_id, try_number, wanted)
            while not (morning := await _morning(courier, alert_id)):
                if not await beginning.has_to_wait(instructions):
                    break
        alert = await courier.alert(alert_id)
        if morning and alert.status is Status.QUEUED:
            return None
        if morning:
            await wait_for_the_morning(courier, alert, morning)
        elif beginning.number_is_busy:
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
        else:
            break
    if beginning.request is None:
        await _end_if_canceled(courier, alert_id, try_number)
    return beginning.request


async def _morning(courier: Courier, alert_id: str) -> datetime | None:
    """When the quiet hours end that keep the alert from being sent now."""
    alert = await courier.alert(alert_id)
    over = alert.canceling or alert.status.final
    return None if over else quiet_until(alert, datetime.now(UTC))


@dataclass
class _Beginning:
    """One request on its way to being written down."""

    courier: Courier
    alert_id: str
    try_number: int
    wanted: Try
    has_turn: bool = False
    # What the last visit to the database brought, one of these or nothing.
    request: Submission | None = None
    number_is_busy: bool = False
    seconds: float = 0.0

    async def has_to_wait(self, instructions: Instructions | None) -> bool:
        """Take a turn, or use it; true after having waited for it, when all is to be seen anew."""
        now, clock_offset = datetime.now(UTC), self.courier.services.twilio.clock_offset
        request = Submission(
            secrets.token_hex(8),
            self.alert_id,
            self.try_number,
            self.courier.history.account_sid,
            self.wanted.channel,
            self.wanted.to,
            # By the clock that Twilio's list goes by, whichever process will read it.
            now + clock_offset,
            clock_offset,
        )
        try:
            await self.courier.history.record(
                self.alert_id,
                _sending(self.courier, self.try_number, instructions),
                lambda connection, row: self._begins_sending(connection, row, request),
            )
        except sa.exc.IntegrityError:
            # Another process was faster.
            self.request, self.number_is_busy = None, True
        if not self.seconds:
            return False
        await asyncio.sleep(self.seconds)
        self.has_turn = True
        return True

    def _begins_sending(self, connection: sa.Connection, row: Row, request: Submission) -> bool:
        """Write the request down, if it may be made now; true if that is the alert's first."""
        # Anew, for the transaction may have to be repeated.
        self.request, self.number_is_busy, self.seconds = None, False, 0.0
        stands = standing_of(row)
        if stands.status.final or stands.canceling or stands.sid:
            return False
        if stands.try_number != self.try_number:
            return False
        self.number_is_busy = submissions.is_busy(connection, request)
        if self.number_is_busy:
            return False
        if not self.has_turn:
            rate = self.courier.services.per_second(request.channel)
            wait = submissions.reserve_slot(connection, request.account_sid, request.channel, rate)
            if wait > AT_ONCE:
                self.seconds = wait
                return False
        submissions.begin(connection, request)
        self.request = request
        return stands.status is Status.QUEUED


def _sending(courier: Courier, try_number: int, instructions: Instructions | None) -> Event:
    now, url = datetime.now(UTC), None
    note = "On its way to Twilio"
    if instructions is not None:
        url = instructions.url
        note = f"Stored in {courier.services.storage.label}" if url else "Sent inside the request"
    return Event(now, Status.SENDING, note, try_number=try_number, twiml_url=url)


async def _end_if_canceled(courier: Courier, alert_id: str, try_number: int) -> None:
    alert = await courier.alert(alert_id)
    if alert.canceling and alert.sid is None:
        event = Event(datetime.now(UTC), Status.CANCELED, "Canceled", try_number=try_number)
        await courier.history.record(alert_id, event)


# https://www.twilio.com/docs/voice/api/call-resource#statuscallbackevent
CALL_EVENTS: tuple[CallEvent, ...] = ("initiated", "ringing", "answered", "completed")


# As long as a request may take from being written down to being made without a second thought.
FRESH = timedelta(seconds=3)


class Superseded(Exception):
    """Another process has looked after the request, while this one stood still."""


async def ask_twilio(
    courier: Courier, request: Submission, instructions: Instructions | None
) -> str:
    """Ask for the call that `instructions` speak to, or for a text; gives the SID.

    Raises `TwilioError`, which says whether the request may have gone through, and `Superseded`.
    """
    async with courier.requests:
        await _see_that_it_is_ours(courier, request)
        if request.channel == "text":
            return await _text(courier, request)
        if instructions is None:
            raise RuntimeError("A call has something to say.")
        return await _call(courier, request, instructions)


async def _see_that_it_is_ours(courier: Courier, request: Submission) -> None:
    # By the date, which goes on while a machine sleeps.
    age = datetime.now(UTC) + courier.services.twilio.clock_offset - request.at
    if age > FRESH and await courier.history.read(
        lambda connection: submissions.is_settled(connection, request.id)
    ):
        raise Superseded


async def _call(courier: Courier, request: Submission, instructions: Instructions) -> str:
    services, alert = courier.services, await courier.alert(request.alert_id)
    callback = _callback(courier, request)
    detect = bool(alert.request.voicemail)
    call = await services.twilio.create_call(
        to=request.to,
        from_=services.from_number,
        url=instructions.url,
        twiml=instructions.twiml,
        status_callback=callback,
        status_callback_event=CALL_EVENTS if callback else (),
        # Until the beep, but while the message is spoken: people needn't wait for the verdict.
        machine_detection="DetectMessageEnd" if detect else None,
        async_amd=detect,
        async_amd_status_callback=callback if detect else None,
    )
    return call.sid


async def _text(courier: Courier, request: Submission) -> str:
    services, alert = courier.services, await courier.alert(request.alert_id)
    service = services.messaging_service_sid
    message = await services.twilio.create_message(
        to=request.to,
        body=alert.message,
        from_=None if service else services.from_number,
        messaging_service_sid=service,
        status_callback=_callback(courier, request),
    )
    return message.sid


def _callback(courier: Courier, request: Submission) -> str | None:
    """Where Twilio is to tell what becomes of it, if it can."""
    callbacks = courier.services.callbacks
    return callbacks.status(request.alert_id, request.try_number) if callbacks else None
