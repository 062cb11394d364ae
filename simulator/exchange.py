"""The telephone exchange: every call and text there is, and what keeps them going."""

from __future__ import annotations

from simulator import call_flow as call_life
from simulator import inbound
from simulator import message_flow as message_life
from simulator.call_progress import CallProgress
from simulator.callbacks import Callbacks
from simulator.clock import Clock
from simulator.errors import ApiError
from simulator.event_log import EventLog
from simulator.handset import Handset
from simulator.http_client import WebRequests
from simulator.lives import Lives
from simulator.message_progress import MessageProgress
from simulator.models.account import Accounts
from simulator.models.call import Call, CallRequest
from simulator.models.message import Direction, Message, MessageRequest
from simulator.models.people import Subscriptions
from simulator.models.sids import new_sid, number_sid
from simulator.models.webhooks import Instructions
from simulator.pace import Pace
from simulator.twiml_fetch import TwimlFetcher

MOST_RECORDS = 10_000
"""Calls, and texts, that are remembered; the oldest finished ones go first."""


class Exchange:
    """Calls and texts of all accounts; `own_number` is the one each account starts with.

    A text from somebody whom no account has written to belongs to `home_account`.

    Nothing has to be started or stopped: each call lives in a task of the running event loop.
    """

    def __init__(
        self,
        clock: Clock,
        web: WebRequests,
        own_number: str,
        *,
        events: EventLog,
        home_account: str,
        calls_per_second: float,
    ) -> None:
        self.clock = clock
        self.own_number = own_number
        self.accounts = Accounts(own_number, clock.now())
        self.calls: dict[str, Call] = {}
        self.messages: dict[str, Message] = {}
        self.web = web
        self.fetcher = TwimlFetcher(web)
        self.callbacks = Callbacks(web, clock)
        self.pace = Pace(clock, calls_per_second)
        self.subscriptions = Subscriptions()
        self._events = events
        self._home_account = home_account
        self._handsets: dict[str, Handset] = {}
        self._lives = Lives()

    def create_call(self, account_sid: str, request: CallRequest) -> Call:
        """Queue a call; it goes on by itself."""
        call = self._add_call(Call(new_sid("CA"), account_sid, request, self.clock))
        self._lives.start(call, call_life.place(call, self))
        return call

    def dial(self, parent: Call, request: CallRequest) -> Call:
        """Place the second call of a Dial in `parent`."""
        sid, account_sid = new_sid("CA"), parent.account_sid
        call = self._add_call(Call(sid, account_sid, request, self.clock, parent.sid))
        self._lives.start(call, call_life.place_dialed(call))
        return call

    def create_message(
        self, account_sid: str, request: MessageRequest, direction: Direction = "outbound-api"
    ) -> Message:
        """Queue a text; it goes on by itself. Raises ApiError if the person doesn't want it."""
        if self.subscriptions.has_stopped(request.from_ or self.own_number, request.to):
            raise ApiError(21610, "Attempt to send to unsubscribed recipient")
        return self._send(account_sid, request, direction)

    def hand_over(self, call_sid: str, handset: Handset) -> bool:
        """Let a person with `handset` decide what becomes of a call, even one that rings already.

        False, and nothing else, if the call is unknown or over or has a handset, or if another
        call is on this one.
        """
        call = self.calls.get(call_sid)
        return call is not None and handset.attach(call)

    def hand_over_number(self, number: str, handset: Handset | None) -> None:
        """Let later calls to `number` (E.164) ring on `handset`; None gives the number back."""
        if handset is None:
            self._handsets.pop(number, None)
        else:
            self._handsets[number] = handset

    def text_box(self, number: str) -> tuple[Message, ...]:
        """Every text to and from `number` (E.164), oldest first."""
        return tuple(
            message
            for message in self.messages.values()
            if number in {message.request.to, message.from_}
        )

    def reply(self, number: str, to: str, body: str) -> Message:
        """A text from a person's `number` to one of ours: STOP, START and HELP are understood,
        and the webhook of our number (its SmsUrl) is told."""
        request = MessageRequest(to=to, from_=number, messaging_service_sid=None, body=body)
        account_sid = self._account_between(number, to)
        message = Message(
            new_sid("SM"), account_sid, request, self.clock, "received", direction="inbound"
        )
        message.date_sent = message.date_created
        self._add_message(message)
        answer = self.subscriptions.hear(to, number, body)
        if answer is not None:
            self._send(account_sid, MessageRequest(number, to, None, answer), "outbound-reply")
        owned = self.accounts.of(account_sid).numbers.get(number_sid(account_sid, to))
        if owned is not None and (url := owned.settings.get("sms_url")):
            method = str(owned.settings.get("sms_method") or "POST")
            webhook = Instructions(str(url), method)
            self._lives.start(message, inbound.hand_in(message, self, webhook))
        return message

    def answer_text(self, message: Message, body: str) -> None:
        """Answer an inbound text; whoever said STOP gets no answer, as a warning says."""
        request = MessageRequest(message.from_ or "", message.request.to, None, body)
        try:
            self.create_message(message.account_sid, request, "outbound-reply")
        except ApiError as error:
            message.warn(error.code, error.message)

    def hang_up(self, call: Call, because: str = "The call is ended through the API.") -> None:
        """End a call: `completed` if somebody had answered, else `canceled`."""
        self._lives.stop(call)
        call.note("hangup", because)
        call.end("completed" if call.status == "in-progress" else "canceled")

    def cancel(self, message: Message) -> None:
        """Give up a text that was not sent yet."""
        self._lives.stop(message)
        message.become("canceled")

    def redirect(self, call: Call, instructions: Instructions) -> None:
        """Let an answered call follow other instructions from now on. Raises ApiError."""
        if call.status != "in-progress":
            raise ApiError(21220, "Call is not in-progress. Cannot redirect.")
        self._lives.stop(call)
        self._lives.start(call, call_life.talk(call, self, instructions))

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
        message.observers.append(self._events.text)
        self._events.text(message)

    def _send(self, account_sid: str, request: MessageRequest, direction: Direction) -> Message:
        sid = new_sid("MM" if request.media_urls else "SM")
        message = Message(sid, account_sid, request, self.clock, direction=direction)
        message.observers.append(MessageProgress(self.callbacks))
        self._add_message(message)
        self._lives.start(message, message_life.send(message, self.own_number))
        return message

    def _account_between(self, person: str, own: str) -> str:
        for message in reversed(self.messages.values()):
            if (message.request.to, message.from_) == (person, own):
                return message.account_sid
        return self._home_account


def _make_room(records: dict[str, Call] | dict[str, Message]) -> None:
    if len(records) < MOST_RECORDS:
        return
    oldest = next((sid for sid, record in records.items() if record.is_over), None)
    if oldest is not None:
        del records[oldest]
