"""Step 3: ask Twilio for a call or a text, exactly once.

Twilio has no idempotency key. So each request is written down before it is made; where its answer
is missing, Twilio's own list tells whether it went through before it is made again.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from alerts.alert import Alert, Channel, Event, Problem
from alerts.history import History
from alerts.records import Begun
from alerts.services import Services
from alerts.status import Status
from alerts.steps.publishing import Published, publish
from alerts.steps.reconciling import reconcile, report_trouble
from alerts.steps.waiting import quiet_until, wait_out_quiet_hours
from alerts.submissions import Outcome, Submission
from alerts.twilio_status import ACCEPTED
from twilio_client import TwilioError, TwilioRateLimited, TwilioUncertain, TwilioUnreachable
from twilio_client.calls import CallEvent

# https://www.twilio.com/docs/voice/api/call-resource#statuscallbackevent
CALL_EVENTS: tuple[CallEvent, ...] = ("initiated", "ringing", "answered", "completed")
# Requests to Twilio that a process has under way at the same time.
MOST_REQUESTS = 100
# A submission that is made later than this after it was written down may have been settled by
# another process, which took this one for dead.
FRESH_FOR = timedelta(seconds=3)
SECONDS_BETWEEN_TRIES_OF_A_BUSY_NUMBER = 0.2


class RequestLimits:
    """How many requests a process makes at once, and how many wait for the account's rate.

    Those that wait keep in line, so that a process reserves slots only shortly before using them.
    """

    def __init__(self, services: Services) -> None:
        self.requests = asyncio.Semaphore(MOST_REQUESTS)
        self._lines = {
            channel: asyncio.Semaphore(max(1, int(services.per_second(channel) / 4)))
            for channel in ("call", "text")
        }

    def line(self, channel: Channel) -> asyncio.Semaphore:
        """The line of those who wait for a slot of a channel's rate."""
        return self._lines[channel]


async def place(services: Services, history: History, limits: RequestLimits, alert: Alert) -> Alert:
    """Bring the alert's try to Twilio, or to its end: refused, canceled or unknown.

    Returns the alert as it stands then. May begin again at any moment, in any process: what was
    asked before is found again.
    """
    number, failures, published = alert.try_number, 0, None
    # The first submission is written down together with the status that follows `queued`.
    inherited = None if alert.status is Status.QUEUED else await history.unsettled(alert)
    submission = inherited
    while submission is None or await reconcile(
        services, history, submission, inherited=submission is inherited
    ):
        alert = history.newest(alert)
        if alert.try_number != number or alert.status.final or alert.sid:
            break
        if alert.channel == "call":
            published = await publish(services, history, alert, published)
            if published is None:
                break
        submission = await _begin(services, history, limits, alert, published)
        if submission is None:
            break
        try:
            async with limits.requests:
                if await _is_superseded(services, history, submission):
                    continue
                sid = await _request(services, alert, published)
        except TwilioUncertain as problem:
            note = "Twilio didn't confirm it: looking it up"
            await report_trouble(history, submission, note, problem)
        except (TwilioUnreachable, TwilioRateLimited) as problem:
            alert = history.newest(alert)
            if _has_tried_long_enough(services, alert):
                note = "Not sent: Twilio couldn't take it"
                await _refuse(history, submission, note, problem)
                break
            await _wait_to_try_again(services, history, submission, problem, failures)
            submission, failures = None, failures + 1
        except TwilioError as problem:
            await _refuse(history, submission, "Twilio refused it", problem)
            break
        else:
            event = Event(
                datetime.now(UTC),
                Status.PLACED,
                ACCEPTED,
                try_number=submission.try_number,
                sid=sid,
            )
            await history.settle(submission, Outcome.PLACED, event, sid)
            break
    return history.newest(alert)


async def _begin(
    services: Services,
    history: History,
    limits: RequestLimits,
    alert: Alert,
    published: Published | None,
) -> Submission | None:
    """Wait for the account's rate and for any other request to the number, then write ours down.

    None if the alert no longer wants it, or if quiet hours have begun meanwhile.
    """
    channel = alert.channel
    while True:
        begun, has_slot = Begun(), False
        async with limits.line(channel):
            while not (quiet := _quiet_until(history.newest(alert))):
                submission = _new_submission(services, history, alert)
                event = _sending(services, alert, published)
                rate = services.per_second(channel)
                try:
                    begun = await history.begin(submission, event, rate, has_slot=has_slot)
                except sa.exc.IntegrityError:  # another process was faster
                    begun = Begun(number_is_busy=True)
                if begun.is_begun:
                    return submission
                if not begun.wait_seconds:
                    break
                await asyncio.sleep(begun.wait_seconds)
                has_slot = True
        # Only looked at: a submission is for the try that it was called for, or for none.
        newest = history.newest(alert)
        if quiet and newest.status is Status.QUEUED:
            return None
        if quiet:
            await wait_out_quiet_hours(history, newest, quiet)
        elif begun.number_is_busy:
            await _wait_for_number(services, history, alert)
        else:
            # Another process may have changed it, and this one not have heard of that yet.
            newest = (await history.get_all([alert.id]))[alert.id]
            await _end_if_canceled(history, newest)
            return None


async def _wait_for_number(services: Services, history: History, alert: Alert) -> None:
    """Wait a little until no other submission to the alert's number is without an answer."""
    blocking = await history.blocking(alert)
    other = await history.get(blocking.alert_id) if blocking else None
    if blocking and other and (other.id == alert.id or _is_over(other, blocking)):
        # Its try ended meanwhile, and perhaps its process: nobody else may look for the answer.
        await _reconcile_unless_over(services, history, blocking, alert)
    else:
        await asyncio.sleep(SECONDS_BETWEEN_TRIES_OF_A_BUSY_NUMBER)


async def _reconcile_unless_over(
    services: Services, history: History, blocking: Submission, alert: Alert
) -> None:
    """Look until it is known what became of `blocking`, or the waiting alert is canceled."""
    looking = asyncio.create_task(reconcile(services, history, blocking, inherited=True))
    over = asyncio.create_task(
        history.until(alert.id, lambda newest: newest.canceling or newest.status.final)
    )
    try:
        await asyncio.wait({looking, over}, return_when=asyncio.FIRST_COMPLETED)
        if looking.done():
            looking.result()
    finally:
        looking.cancel()
        over.cancel()
        await asyncio.gather(looking, over, return_exceptions=True)


def _is_over(alert: Alert, submission: Submission) -> bool:
    """Whether the try that the submission was made for has ended."""
    return alert.status.final or alert.try_number != submission.try_number


def _quiet_until(alert: Alert) -> datetime | None:
    is_over = alert.canceling or alert.status.final
    return None if is_over else quiet_until(alert, datetime.now(UTC))


def _new_submission(services: Services, history: History, alert: Alert) -> Submission:
    clock_offset = services.twilio.clock_offset
    return Submission(
        secrets.token_hex(8),
        alert.id,
        alert.try_number,
        history.account_sid,
        alert.channel,
        alert.to,
        # By the clock that Twilio's list goes by, whichever process will read it.
        datetime.now(UTC) + clock_offset,
        clock_offset,
    )


def _sending(services: Services, alert: Alert, published: Published | None) -> Event:
    url, note = None, "On its way to Twilio"
    if published is not None:
        url = published.url
        note = f"Stored in {services.storage.label}" if url else "Sent inside the request"
    now, number = datetime.now(UTC), alert.try_number
    return Event(now, Status.SENDING, note, try_number=number, twiml_url=url)


async def _end_if_canceled(history: History, alert: Alert) -> None:
    if alert.canceling and alert.sid is None and not alert.status.final:
        now, number = datetime.now(UTC), alert.try_number
        await history.record(alert.id, Event(now, Status.CANCELED, "Canceled", try_number=number))


async def _is_superseded(services: Services, history: History, submission: Submission) -> bool:
    """Whether another process has settled the submission while this one stood still."""
    # By the date, which goes on while a machine sleeps.
    age = datetime.now(UTC) + services.twilio.clock_offset - submission.at
    return age > FRESH_FOR and await history.is_settled(submission)


async def _request(services: Services, alert: Alert, published: Published | None) -> str:
    """Ask Twilio for the call or text; returns its SID. Raises `TwilioError`.

    https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource
    https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource
    """
    callbacks = services.callbacks
    callback = callbacks.status(alert.id, alert.try_number) if callbacks else None
    if published is None:
        service = services.messaging_service_sid
        message = await services.twilio.create_message(
            to=alert.to,
            body=alert.message,
            from_=None if service else services.from_number,
            messaging_service_sid=service,
            status_callback=callback,
        )
        return message.sid
    detect = bool(alert.request.voicemail)
    call = await services.twilio.create_call(
        to=alert.to,
        from_=services.from_number,
        url=published.url,
        twiml=published.twiml,
        status_callback=callback,
        status_callback_event=CALL_EVENTS if callback else (),
        # Until the beep, but while the message is spoken: people needn't wait for the verdict.
        machine_detection="DetectMessageEnd" if detect else None,
        async_amd=detect,
        async_amd_status_callback=callback if detect else None,
    )
    return call.sid


async def _refuse(
    history: History, submission: Submission, note: str, problem: TwilioError
) -> None:
    """Twilio won't take it, now or ever."""
    event = Event(
        datetime.now(UTC),
        Status.FAILED,
        note,
        try_number=submission.try_number,
        error=Problem.of(problem),
    )
    await history.settle(submission, Outcome.REFUSED, event)


def _has_tried_long_enough(services: Services, alert: Alert) -> bool:
    limit = timedelta(seconds=services.retry_policy.retry_seconds)
    return datetime.now(UTC) - alert.since > limit


async def _wait_to_try_again(
    services: Services,
    history: History,
    submission: Submission,
    problem: TwilioUnreachable | TwilioRateLimited,
    failures: int,
) -> None:
    """Nothing was processed: the next request may come in a while, unless the alert is canceled."""
    too_fast = isinstance(problem, TwilioRateLimited)
    note = "Twilio asks to wait" if too_fast else "Twilio is out of reach"
    await report_trouble(history, submission, f"{note}: trying again", problem, Outcome.NEVER_SENT)
    asked = problem.retry_after if isinstance(problem, TwilioRateLimited) else None
    with suppress(TimeoutError):
        await history.until(
            submission.alert_id,
            lambda alert: alert.canceling or alert.status.final,
            services.retry_policy.wait(failures, asked),
        )
