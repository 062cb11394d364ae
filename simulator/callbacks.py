"""Status callbacks: report to customers' servers what happens, with the faults asked for.

https://www.twilio.com/docs/voice/api/call-resource#statuscallback
https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from dataclasses import dataclass
from email.utils import format_datetime

from simulator.clock import Clock
from simulator.errors import TwimlError
from simulator.http_client import WebhookClient
from simulator.models.call import Call, CallEvent, billed_minutes, request_parameters
from simulator.models.message import Message
from simulator.models.sids import API_VERSION
from simulator.models.webhooks import CALL_EVENTS, Callback, Parameters
from simulator.untrusted_text import without_password

MOST_DELIVERIES = 10_000
BAD_RESPONSE = 15003
"""Twilio's code for a callback that was answered with an error status."""

_SIP_CODES = {"completed": 200, "busy": 486, "no-answer": 487, "canceled": 487, "failed": 404}


@dataclass(frozen=True)
class CallbackFaults:
    """What goes wrong with callbacks: each of the three has a rate from 0 (never) to 1 (always).

    A `late` one holds up those after it for `delay` simulated seconds, one `out_of_order` is
    overtaken by them, and one sent `twice` is repeated at once. The same `seed` makes the same
    choices again. Raises ValueError for values out of range.
    """

    late: float = 0
    twice: float = 0
    out_of_order: float = 0
    delay: float = 5
    seed: int = 0

    def __post_init__(self) -> None:
        if not all(0 <= rate <= 1 for rate in (self.late, self.twice, self.out_of_order)):
            raise ValueError("late, twice and out_of_order must be numbers from 0 to 1.")
        if not 0 <= self.delay <= 3600:
            raise ValueError("delay must be a number of seconds from 0 to 3600.")


@dataclass(frozen=True)
class Delivery:
    """One callback that was sent about the call or text `sid`.

    `status` is the HTTP status of the response, None if none came; `error_code` is Twilio's, None
    if all went well.
    """

    sid: str
    url: str
    method: str
    parameters: tuple[tuple[str, str], ...]
    status: int | None
    error_code: int | None


class Callbacks:
    """Sends callbacks in the background: in order for each call or text, unless faults are set."""

    def __init__(self, client: WebhookClient, clock: Clock) -> None:
        self.deliveries: deque[Delivery] = deque(maxlen=MOST_DELIVERIES)
        self._client = client
        self._clock = clock
        self._latest: dict[str, asyncio.Task[None]] = {}
        self._running: set[asyncio.Task[None]] = set()
        self.set_faults(CallbackFaults())

    @property
    def faults(self) -> CallbackFaults:
        """What goes wrong with callbacks at present."""
        return self._faults

    def set_faults(self, faults: CallbackFaults) -> None:
        """Send later callbacks with other faults; their seed starts from the beginning."""
        self._faults = faults
        self._random = random.Random(faults.seed)  # noqa: S311 - repeatable on purpose

    def send(self, subject: Call | Message, callback: Callback, parameters: Parameters) -> None:
        """Report to `callback` what happened to `subject`; returns at once."""
        faults, chance = self._faults, self._random.random
        late, twice, overtaken = (
            chance() < rate for rate in (faults.late, faults.twice, faults.out_of_order)
        )
        previous = None if overtaken else self._latest.get(subject.sid)
        task = asyncio.create_task(
            self._deliver(
                subject,
                callback,
                tuple(parameters),
                previous=previous,
                delay=faults.delay if late or overtaken else 0,
                times=2 if twice else 1,
            )
        )
        self._running.add(task)
        if not overtaken:
            self._latest[subject.sid] = task
        task.add_done_callback(lambda done: self._forget(subject.sid, done))

    async def _deliver(
        self,
        subject: Call | Message,
        callback: Callback,
        parameters: tuple[tuple[str, str], ...],
        *,
        previous: asyncio.Task[None] | None,
        delay: float,
        times: int,
    ) -> None:
        if delay:
            await self._clock.sleep(delay)
        if previous is not None:
            await asyncio.wait({previous})
        for _ in range(times):
            await self._deliver_once(subject, callback, parameters)

    async def _deliver_once(
        self, subject: Call | Message, callback: Callback, parameters: tuple[tuple[str, str], ...]
    ) -> None:
        status, code = None, None
        try:
            async with self._client.request(
                subject.account_sid, callback.url, callback.method, parameters
            ) as response:
                status = response.status_code
                code = BAD_RESPONSE if response.is_error else None
        except TwimlError as error:
            code = error.code
            subject.warn(code, f"Callback to {callback.url}: {error.message}")
        else:
            if code is not None:
                subject.warn(code, f"Callback to {callback.url}: answered with status {status}.")
        url = without_password(callback.url)
        self.deliveries.append(
            Delivery(subject.sid, url, callback.method, parameters, status, code)
        )

    def _forget(self, sid: str, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if self._latest.get(sid) is task:
            del self._latest[sid]


class CallProgress:
    """An observer of one call that reports the events its status callback asked for."""

    def __init__(self, callbacks: Callbacks) -> None:
        self._callbacks = callbacks
        self._sent = 0

    def __call__(self, call: Call, event: CallEvent) -> None:
        """Send a callback if `event` is one of those asked for."""
        request = call.request
        if request.status_callback is None or event not in CALL_EVENTS:
            return
        if event in request.status_events:
            self._callbacks.send(call, request.status_callback, self._parameters(call, event))
            self._sent += 1

    def _parameters(self, call: Call, event: CallEvent) -> list[tuple[str, str]]:
        parameters = dict(request_parameters(call))
        if event == "initiated":
            parameters["CallStatus"] = "initiated"
        parameters |= {
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(self._sent),
            "Timestamp": format_datetime(call.date_updated),
        }
        if event == "completed":
            parameters["SipResponseCode"] = str(_SIP_CODES[call.status])
            if call.status == "completed":
                seconds = call.duration or 0
                parameters["CallDuration"] = str(seconds)
                parameters["Duration"] = str(billed_minutes(seconds))
        return list(parameters.items())


class MessageProgress:
    """An observer of a text that reports each status after the first to its status callback."""

    def __init__(self, callbacks: Callbacks) -> None:
        self._callbacks = callbacks

    def __call__(self, message: Message) -> None:
        """Send a callback about the status that `message` has now."""
        callback = message.request.status_callback
        if callback is not None:
            self._callbacks.send(message, callback, _message_parameters(message))


def _message_parameters(message: Message) -> list[tuple[str, str]]:
    parameters = [
        ("MessageSid", message.sid),
        ("MessageStatus", message.status),
        ("SmsSid", message.sid),
        ("SmsStatus", message.status),
        ("AccountSid", message.account_sid),
        ("From", message.from_ or ""),
        ("To", message.request.to),
        ("ApiVersion", API_VERSION),
    ]
    if message.request.messaging_service_sid is not None:
        parameters.append(("MessagingServiceSid", message.request.messaging_service_sid))
    if message.error_code is not None:
        parameters.append(("ErrorCode", str(message.error_code)))
    return parameters
