"""The telephone exchange: every call and text there is, and what keeps them going."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from typing import TypeVar

from simulator.call_flow import CallQueue, run_answered_call, run_call, run_dialed_call
from simulator.callbacks import Callbacks, CallProgress, MessageProgress
from simulator.clock import Clock
from simulator.errors import ApiError
from simulator.handset import Handset
from simulator.http_client import WebhookClient
from simulator.log import EventLog
from simulator.message_flow import fetch_replies, run_message
from simulator.models.account import OPENING_BALANCE_DOLLARS, Accounts
from simulator.models.call import TWILIO_API_URL, Call, CallRequest
from simulator.models.message import Direction, Message, MessageRequest
from simulator.models.people import Subscriptions, person_at
from simulator.models.recording import Recording
from simulator.models.sids import new_sid
from simulator.models.webhooks import Callback, Instructions, Parameters
from simulator.twiml.document import Document, fetch_document

MOST_RECORDS = 10_000
"""How many calls, texts and recordings are kept each; the oldest finished ones go first."""

REPLY_SECONDS = 2.0
"""How long a character takes to answer a text."""

logger = logging.getLogger(__name__)


class Exchange:
    """Calls and texts of all accounts; each starts with `own_number` and `short_codes`, on trial or
    not, and with `opening_balance` US dollars.

    A text from a number that no account has written to belongs to `home_account`.

    Nothing has to be started or stopped: each call runs in a task of the running event loop.
    To TwiML verbs it is their `CallControl`.
    """

    def __init__(
        self,
        clock: Clock,
        client: WebhookClient,
        own_number: str,
        *,
        short_codes: Sequence[str],
        events: EventLog,
        home_account: str,
        calls_per_second: float,
        on_trial: bool = False,
        opening_balance: float = OPENING_BALANCE_DOLLARS,
    ) -> None:
        self.clock = clock
        self.own_number = own_number
        self.accounts = Accounts(
            own_number,
            short_codes,
            clock.now(),
            on_trial=on_trial,
            opening_balance=opening_balance,
        )
        self.calls: dict[str, Call] = {}
        self.messages: dict[str, Message] = {}
        self.recordings: dict[str, Recording] = {}
        self.callbacks = Callbacks(client, clock)
        self._client = client
        self._events = events
        self._home_account = home_account
        self._queue = CallQueue(clock, calls_per_second)
        self._subscriptions = Subscriptions()
        self._handsets: dict[str, Handset] = {}
        self._tasks = RunningTasks()

    def create_call(
        self, account_sid: str, request: CallRequest, api_url: str = TWILIO_API_URL
    ) -> Call:
        """Queue a call, which then goes on in the background; `api_url` is where it was placed."""
        sid = new_sid("CA")
        call = self._add_call(Call(sid, account_sid, request, self.clock, api_url=api_url))
        self._tasks.start(call, run_call(call, self._queue, self))
        return call

    def dial(self, parent: Call, request: CallRequest) -> Call:
        """Place the second call of a Dial in `parent`."""
        sid, account_sid = new_sid("CA"), parent.account_sid
        call = self._add_call(Call(sid, account_sid, request, self.clock, parent.sid))
        self._tasks.start(call, run_dialed_call(call))
        return call

    def redirect(self, call: Call, instructions: Instructions) -> None:
        """Let an answered call follow other instructions from now on. Raises ApiError."""
        if call.status != "in-progress":
            raise ApiError(21220, "Call is not in-progress. Cannot redirect.")
        self._tasks.stop(call)
        self._tasks.start(call, run_answered_call(call, self, instructions))

    def hang_up(self, call: Call, because: str = "The call is ended through the API.") -> None:
        """End a call: `completed` if it was answered, else `canceled`."""
        self._tasks.stop(call)
        call.note("hangup", because)
        call.end("completed" if call.status == "in-progress" else "canceled")

    async def fetch_document(
        self, call: Call, url: str, method: str, parameters: Parameters
    ) -> Document:
        """Return the TwiML at `url`. Raises TwimlError."""
        return await fetch_document(self._client, call.account_sid, url, method, parameters)

    def may_call_from(self, account_sid: str, number: str) -> bool:
        """Whether calls of the account may show `number` (E.164) as their caller ID."""
        return self.accounts.get(account_sid).may_call_from(number)

    def send_callback(self, call: Call, callback: Callback, parameters: Parameters) -> None:
        """Report to `callback` in the background."""
        self.callbacks.send(call, callback, parameters)

    def add_recording(self, recording: Recording) -> None:
        """Keep a recording, which can be fetched from now on."""
        _make_room(self.recordings)
        self.recordings[recording.sid] = recording

    def attach_handset(self, call_sid: str, handset: Handset) -> bool:
        """Let a person with `handset` take a call, even one that rings already.

        Returns whether the handset took it: not if the call is unknown, over or on a handset, or
        if the handset has another call.
        """
        call = self.calls.get(call_sid)
        return call is not None and handset.attach(call)

    def ring_on_handset(self, number: str, handset: Handset | None) -> None:
        """Let later calls to `number` (E.164) ring on `handset`; None returns it to its
        character."""
        if handset is None:
            self._handsets.pop(number, None)
        else:
            self._handsets[number] = handset

    def create_message(
        self, account_sid: str, request: MessageRequest, direction: Direction = "outbound-api"
    ) -> Message:
        """Queue a text, which then goes on in the background.

        Raises ApiError if the person has texted STOP.
        """
        if self._subscriptions.has_stopped(request.from_ or self.own_number, request.to):
            raise ApiError(21610, "Attempt to send to unsubscribed recipient")
        return self._send(account_sid, request, direction)

    def receive_text(self, number: str, to: str, body: str) -> Message:
        """Take a text from a person's `number` to one of ours.

        STOP, START and HELP are understood, and the webhook of our number (its SmsUrl) is told.
        """
        request = MessageRequest(to=to, from_=number, messaging_service_sid=None, body=body)
        account_sid = self._account_between(number, to)
        message = Message(
            new_sid("SM"), account_sid, request, self.clock, "received", direction="inbound"
        )
        message.date_sent = message.date_created
        self._add_message(message)
        answer = self._subscriptions.receive(to, number, body)
        if answer is not None:
            self._send(account_sid, MessageRequest(number, to, None, answer), "outbound-reply")
        owned = self.accounts.get(account_sid).owned_sender(to)
        if owned is not None and (url := owned.settings.get("sms_url")):
            method = str(owned.settings.get("sms_method") or "POST")
            self._tasks.start(message, self._reply_to(message, Instructions(str(url), method)))
        return message

    def texts_of(self, number: str) -> tuple[Message, ...]:
        """Return every text to and from `number` (E.164), oldest first."""
        return tuple(
            message
            for message in self.messages.values()
            if number in {message.request.to, message.from_}
        )

    def cancel(self, message: Message) -> None:
        """Cancel a text that was not sent yet."""
        self._tasks.stop(message)
        message.become("canceled")

    def _add_call(self, call: Call) -> Call:
        _make_room(self.calls)
        self.calls[call.sid] = call
        call.observers += [self._events.call, CallProgress(self.callbacks)]
        handset = self._handsets.get(call.request.to)
        if handset is not None:
            handset.attach(call)
        return call

    def _add_message(self, message: Message) -> None:
        _make_room(self.messages)
        self.messages[message.sid] = message
        message.observers.append(self._events.message)
        self._events.message(message)

    def _send(self, account_sid: str, request: MessageRequest, direction: Direction) -> Message:
        sid = new_sid("MM" if request.media_urls else "SM")
        message = Message(sid, account_sid, request, self.clock, direction=direction)
        message.observers.append(MessageProgress(self.callbacks))
        self._add_message(message)
        self._tasks.start(message, self._deliver(message))
        return message

    async def _deliver(self, message: Message) -> None:
        await run_message(message, self.own_number)
        reply = person_at(message.request.to).replies
        # An answer to an answer would go on forever.
        if reply and message.status == "delivered" and message.direction == "outbound-api":
            await self.clock.sleep(REPLY_SECONDS)
            self.receive_text(message.request.to, message.from_ or self.own_number, reply)

    async def _reply_to(self, message: Message, webhook: Instructions) -> None:
        for body in await fetch_replies(message, webhook, self._client):
            request = MessageRequest(message.from_ or "", message.request.to, None, body)
            try:
                self.create_message(message.account_sid, request, "outbound-reply")
            except ApiError as error:  # they have texted STOP
                message.warn(error.code, error.message)

    def _account_between(self, person: str, own: str) -> str:
        for message in reversed(self.messages.values()):
            if (message.request.to, message.from_) == (person, own):
                return message.account_sid
        return self._home_account


class RunningTasks:
    """The tasks of the event loop that run calls and texts; each record has one at a time."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, record: Call | Message, work: Coroutine[object, object, None]) -> None:
        """Run `work` in the background; `record` fails if it raises."""
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks[record.sid] = task
        task.add_done_callback(lambda done: self._finished(record, done))

    def stop(self, record: Call | Message) -> None:
        """Cancel the task of `record`, if one runs."""
        task = self._tasks.pop(record.sid, None)
        if task is not None:
            task.cancel()

    def _finished(self, record: Call | Message, task: asyncio.Task[None]) -> None:
        if self._tasks.get(record.sid) is task:
            del self._tasks[record.sid]
        if task.cancelled() or (error := task.exception()) is None:
            return
        logger.error("%s failed because of a bug in the simulator.", record.sid, exc_info=error)
        if isinstance(record, Call):
            record.end("failed")
        elif not record.is_over:
            record.become("failed", error_code=30008)


_Record = TypeVar("_Record", Call, Message, Recording)


def _make_room(records: dict[str, _Record]) -> None:
    if len(records) < MOST_RECORDS:
        return
    oldest = next((sid for sid, record in records.items() if record.is_over), None)
    if oldest is not None:
        del records[oldest]
