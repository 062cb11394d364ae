"""Step 3: ask Twilio for a call or a text, exactly once.

Twilio has no idempotency key. So each request is saved before it is made. If its answer is missing,
Twilio's list tells whether it went through, before it is made again.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from alerts.alert import CHANNELS, Alert, Channel, Event, Problem, Try
from alerts.appending import BeginResult
from alerts.errors import UnusableInput
from alerts.history import History
from alerts.message.compose import words_of_text
from alerts.phone_numbers import send_digits
from alerts.services import Services
from alerts.state import quiet_until
from alerts.status import Status
from alerts.steps.publishing import Published, publish, unusable_message
from alerts.steps.reconciling import reconcile, reconcile_unless_over, report_trouble
from alerts.steps.waiting import wait_out_quiet_hours, wait_while_sending
from alerts.submissions import Outcome, Submission
from alerts.twilio_status import ACCEPTED
from twilio_client import TwilioError, TwilioRateLimited, TwilioUncertain, TwilioUnreachable
from twilio_client.calls import CallEvent

# https://www.twilio.com/docs/voice/api/call-resource#statuscallbackevent
CALL_EVENTS: tuple[CallEvent, ...] = ("initiated", "ringing", "answered", "completed")
# Requests for calls and texts that a process has under way at the same time.
MOST_REQUESTS_AT_ONCE = 100
# If a process stands still, or the database is away, for longer than this before the request,
# another process may take the request for lost before it is made. So the submission gets the
# present time first, unless the other process was faster.
RENEW_SUBMISSIONS_OLDER_THAN = timedelta(seconds=3)
# Slots are reserved only this far ahead, so no more alerts wait for one than can be sent by then.
RESERVE_AHEAD_SECONDS = 0.25
BUSY_NUMBER_WAIT_SECONDS = 0.2
STOPPED_WAIT_SECONDS = 1.0


class RequestLimits:
    """Limits on how many requests a process makes at once, and how many wait for a slot.

    The others wait in line, so that a process reserves slots only shortly before it uses them.
    """

    def __init__(self, services: Services) -> None:
        self.requests = asyncio.Semaphore(MOST_REQUESTS_AT_ONCE)
        self.per_second = {each: services.per_second(each) for each in CHANNELS}
        self._lines = {
            channel: asyncio.Semaphore(max(1, int(rate * RESERVE_AHEAD_SECONDS)))
            for channel, rate in self.per_second.items()
        }
        self._occupied: dict[tuple[Channel, str], asyncio.Event] = {}

    def line(self, channel: Channel) -> asyncio.Semaphore:
        """The line of alerts that wait for a slot of a channel's rate."""
        return self._lines[channel]

    @contextmanager
    def occupying(self, submission: Submission) -> Iterator[None]:
        """Make the process's other alerts wait for the number for as long as the block lasts."""
        number, freed = (submission.channel, submission.to), asyncio.Event()
        self._occupied[number] = freed
        try:
            yield
        finally:
            # If another process took this one for dead, it may have settled the submission, and a
            # later one of ours occupies the number by now.
            if self._occupied.get(number) is freed:
                del self._occupied[number]
            freed.set()

    async def until_free(self, channel: Channel, to: str) -> bool:
        """Wait until no request of this process occupies a number; false if none does now."""
        freed = self._occupied.get((channel, to))
        if freed is None:
            return False
        await freed.wait()
        return True


async def place(services: Services, history: History, limits: RequestLimits, alert: Alert) -> Alert:
    """Bring the alert's try to Twilio, or to its end: refused, canceled or unknown.

    Returns the alert as it stands then. It can be interrupted at any moment and begin again in
    another process, which finds out what became of an earlier request before it makes one.
    """
    number, this_try, failures, published = alert.try_number, alert.present_try, 0, None
    # A queued alert has no submission yet: the first is saved together with the status after
    # queued.
    inherited = None if alert.status is Status.QUEUED else await history.unsettled(alert)
    submission = inherited
    while submission is None or await reconcile(
        services, history, submission, inherited=submission is inherited
    ):
        alert = history.newest(alert)
        if alert.try_number != number or alert.status.final or alert.sid:
            break
        if this_try.channel == "call":
            published = await publish(services, history, alert, published)
            if published is None:
                break
        submission = await _begin(
            services, history, limits, alert=alert, this_try=this_try, published=published
        )
        if submission is None:
            break
        try:
            if await _submit(
                services, history, limits, submission=submission, alert=alert, published=published
            ):
                break
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
        except UnusableInput as problem:
            event = unusable_message(number, problem)
            await history.settle(submission, Outcome.NEVER_SENT, event)
            break
        except TwilioError as problem:
            await _refuse(history, submission, "Twilio refused it", problem)
            break
    return history.newest(alert)


async def _begin(
    services: Services,
    history: History,
    limits: RequestLimits,
    *,
    alert: Alert,
    this_try: Try,
    published: Published | None,
) -> Submission | None:
    """Wait for the account's rate and for any other request to the number, then save ours.

    One of `limits.requests` is acquired for it, which `_submit` releases. None if the alert no
    longer needs it, or if it has to wait before its first request: for the end of quiet hours, or
    because a limit holds it back.
    """
    while True:
        has_slot = False
        async with limits.line(this_try.channel):
            while True:
                begun = await _save(
                    services,
                    history,
                    limits,
                    alert=alert,
                    this_try=this_try,
                    published=published,
                    has_slot=has_slot,
                )
                if isinstance(begun, Submission):
                    return begun
                if not begun.wait_seconds:
                    break
                await asyncio.sleep(begun.wait_seconds)
                has_slot = True
        # Don't refresh `alert`: the submission is made for this try or not at all.
        if not await _wait_to_begin(services, history, limits, alert, begun):
            return None


async def _save(
    services: Services,
    history: History,
    limits: RequestLimits,
    *,
    alert: Alert,
    this_try: Try,
    published: Published | None,
    has_slot: bool,
) -> Submission | BeginResult:
    """Save a submission that may be made at once, and return it, or why there is none.

    One of `limits.requests` is acquired for it.
    """
    begun = BeginResult()
    # Acquired first, because the wait for it may be long, and the submission has the time of now.
    await limits.requests.acquire()
    try:
        if not _quiet_until(history.newest(alert)):
            submission = _new_submission(services, history, alert, this_try)
            event, rate = _sending(services, alert, published), limits.per_second[this_try.channel]
            begun = await history.begin(submission, event, rate, has_slot=has_slot)
            if begun.is_begun:
                return submission
    except sa.exc.IntegrityError:  # another process was faster
        begun = BeginResult(number_is_busy=True)
    finally:
        if not begun.is_begun:
            limits.requests.release()
    return begun


async def _wait_to_begin(
    services: Services,
    history: History,
    limits: RequestLimits,
    alert: Alert,
    begun: BeginResult,
) -> bool:
    """Wait for what keeps a submission from being saved; false if this process can stop here."""
    newest = history.newest(alert)
    quiet = _quiet_until(newest)
    if (quiet or begun.hold) and newest.status is Status.QUEUED:
        return False
    if quiet:
        await wait_out_quiet_hours(history, newest, quiet)
    elif begun.hold:
        await wait_while_sending(history, newest, begun.hold.until)
    elif begun.is_stopped:
        await _wait_to_be_canceled(history, alert)
    elif begun.number_is_busy:
        await _wait_for_number(services, history, limits, alert)
    else:
        # Read from the database, because another process may have just changed it.
        newest = (await history.get_all([alert.id]))[alert.id]
        await _end_if_canceled(history, newest)
        return False
    return True


async def _wait_for_number(
    services: Services, history: History, limits: RequestLimits, alert: Alert
) -> None:
    """Wait a little for the unsettled submission to the alert's number, or settle it."""
    if await limits.until_free(alert.channel, alert.to):
        return
    blocking = await history.blocking(alert)
    other = await history.get(blocking.alert_id) if blocking else None
    if blocking and other and (other.id == alert.id or _is_over(other, blocking)):
        # Its try has ended, and its process may have too, so no other process would settle it.
        await reconcile_unless_over(services, history, blocking, alert)
    else:
        await asyncio.sleep(BUSY_NUMBER_WAIT_SECONDS)


def _is_over(alert: Alert, submission: Submission) -> bool:
    """Whether the try that the submission was made for has ended."""
    return alert.status.final or alert.try_number != submission.try_number


async def _wait_to_be_canceled(history: History, alert: Alert) -> None:
    """Wait a little: everything is stopped, and what waits is being canceled."""
    with suppress(TimeoutError):
        await history.until(
            alert.id,
            lambda newest: newest.canceling or newest.status.final,
            STOPPED_WAIT_SECONDS,
        )


def _quiet_until(alert: Alert) -> datetime | None:
    is_over = alert.canceling or alert.status.final
    return None if is_over else quiet_until(alert, datetime.now(UTC))


def _new_submission(
    services: Services, history: History, alert: Alert, this_try: Try
) -> Submission:
    clock_offset = services.twilio.clock_offset
    return Submission(
        secrets.token_hex(8),
        alert.id,
        alert.try_number,
        history.account_sid,
        this_try.channel,
        this_try.to,
        # By Twilio's clock: any process may have to compare it with the times in Twilio's list.
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


async def _submit(
    services: Services,
    history: History,
    limits: RequestLimits,
    *,
    submission: Submission,
    alert: Alert,
    published: Published | None,
) -> bool:
    """Make the request of a saved submission, and record its SID.

    False if it must not be made any more, see `History.renew`. Raises `TwilioError`, which says
    whether the request may have gone through.
    """
    try:
        with limits.occupying(submission):
            while _is_old(submission):
                renewed = await history.renew(submission, _now_at_twilio(submission))
                if renewed is None:
                    return False
                submission = renewed
            sid = await _request(services, submission, alert, published)
            now, number = datetime.now(UTC), submission.try_number
            event = Event(now, Status.PLACED, ACCEPTED, try_number=number, sid=sid)
            await history.settle(submission, Outcome.PLACED, event, sid)
            return True
    finally:
        limits.requests.release()


def _is_old(submission: Submission) -> bool:
    """Whether another process may soon count a request that is made only now as lost."""
    # Measured by the date, because a monotonic clock may stop while the machine sleeps.
    return _now_at_twilio(submission) - submission.at > RENEW_SUBMISSIONS_OLDER_THAN


def _now_at_twilio(submission: Submission) -> datetime:
    return datetime.now(UTC) + (submission.clock_offset or timedelta())


async def _request(
    services: Services, submission: Submission, alert: Alert, published: Published | None
) -> str:
    """Ask Twilio for the call or text; returns its SID. Raises `TwilioError`.

    A text's words are those of the submission's saved time, so any process can tell what was sent.
    Raises `UnusableInput` if there are none.

    https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource
    https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource
    """
    callbacks = services.callbacks
    callback = callbacks.status(alert.id, alert.try_number) if callbacks else None
    if published is None:  # a text
        service = services.messaging_service_sid
        message = await services.twilio.create_message(
            to=submission.to,
            body=words_of_text(alert.request, submission.at),
            from_=None if service else services.from_number,
            messaging_service_sid=service,
            status_callback=callback,
        )
        return message.sid
    detect = bool(alert.request.voicemail)
    call = await services.twilio.create_call(
        to=submission.to,
        from_=services.from_number,
        url=published.url,
        twiml=published.twiml,
        status_callback=callback,
        status_callback_event=CALL_EVENTS if callback else (),
        # Wait for the beep, but asynchronously, so that a person hears the message at once.
        machine_detection="DetectMessageEnd" if detect else None,
        async_amd=detect,
        async_amd_status_callback=callback if detect else None,
        send_digits=send_digits(alert.tries[submission.try_number - 1].extension),
    )
    return call.sid


async def _refuse(
    history: History, submission: Submission, note: str, problem: TwilioError
) -> None:
    """Settle a submission that Twilio refused, and fail its try."""
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
    """Settle a submission that wasn't processed, then wait, unless the alert is canceled."""
    too_fast = isinstance(problem, TwilioRateLimited)
    note = "Twilio asks us to wait" if too_fast else "Twilio can't be reached"
    await report_trouble(history, submission, f"{note}: trying again", problem, Outcome.NEVER_SENT)
    asked = problem.retry_after if isinstance(problem, TwilioRateLimited) else None
    with suppress(TimeoutError):
        await history.until(
            submission.alert_id,
            lambda alert: alert.canceling or alert.status.final,
            services.retry_policy.wait(failures, asked),
        )
