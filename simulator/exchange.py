"""The telephone exchange: every call and text there is, and what keeps them going."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine

from simulator import call_life, message_life
from simulator.call import Call
from simulator.call_request import CallRequest
from simulator.clock import Clock
from simulator.errors import ApiError
from simulator.instructions import Instructions
from simulator.message import Message
from simulator.message_request import MessageRequest
from simulator.sids import new_sid
from simulator.twiml_fetch import TwimlFetcher

MOST_RECORDS = 10_000
"""Calls, and texts, that are remembered; the oldest finished ones go first."""

logger = logging.getLogger(__name__)


class Exchange:
    """Calls and texts of all accounts; `own_number` is the one each account owns.

    Nothing has to be started or stopped: each call lives in a task of the running event loop.
    """

    def __init__(self, clock: Clock, fetcher: TwimlFetcher, own_number: str) -> None:
        self.clock = clock
        self.own_number = own_number
        self.opened = clock.now()
        self.calls: dict[str, Call] = {}
        self.messages: dict[str, Message] = {}
        self._fetcher = fetcher
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def create_call(self, account_sid: str, request: CallRequest) -> Call:
        """Queue a call; it goes on by itself."""
        call = Call(new_sid("CA"), account_sid, request, self.clock)
        _make_room(self.calls)
        self.calls[call.sid] = call
        self._start(call, call_life.place(call, self._fetcher))
        return call

    def create_message(self, account_sid: str, request: MessageRequest) -> Message:
        """Queue a text; it goes on by itself."""
        sid = new_sid("MM" if request.media_urls else "SM")
        message = Message(sid, account_sid, request, self.clock)
        _make_room(self.messages)
        self.messages[message.sid] = message
        self._start(message, message_life.send(message, self.own_number))
        return message

    def hang_up(self, call: Call) -> None:
        """End a call: `completed` if somebody had answered, else `canceled`."""
        self._stop(call)
        call.note("hangup", "The call is ended through the API.")
        call.end("completed" if call.status == "in-progress" else "canceled")

    def redirect(self, call: Call, instructions: Instructions) -> None:
        """Let an answered call follow other instructions from now on. Raises ApiError."""
        if call.status != "in-progress":
            raise ApiError(21220, "Call is not in-progress. Cannot redirect.")
        self._stop(call)
        self._start(call, call_life.talk(call, self._fetcher, instructions))

    def _start(self, record: Call | Message, life: Coroutine[object, object, None]) -> None:
        task: asyncio.Task[None] = asyncio.create_task(life)
        self._tasks[record.sid] = task
        task.add_done_callback(lambda done: self._finished(record, done))

    def _stop(self, record: Call | Message) -> None:
        task = self._tasks.pop(record.sid, None)
        if task is not None:
            task.cancel()

    def _finished(self, record: Call | Message, task: asyncio.Task[None]) -> None:
        if self._tasks.get(record.sid) is task:
            del self._tasks[record.sid]
        if task.cancelled() or (error := task.exception()) is None:
            return
        logger.error("The simulator lost %s to a defect of its own.", record.sid, exc_info=error)
        if isinstance(record, Call):
            record.end("failed")
        else:
            record.become("failed", error_code=30008)


def _make_room(records: dict[str, Call] | dict[str, Message]) -> None:
    if len(records) < MOST_RECORDS:
        return
    oldest = next((sid for sid, record in records.items() if record.is_over), None)
    if oldest is not None:
        del records[oldest]
