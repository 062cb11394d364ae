"""Writing what happens to calls and texts into the log, between the requests."""

from __future__ import annotations

from datetime import UTC, datetime

from simulator.log import Entry, RequestLog
from simulator.masking import shortened
from simulator.models.call import Call, Happening
from simulator.models.message import Message
from simulator.models.sids import account_path
from simulator.models.webhooks import CALL_EVENTS


class EventLog:
    """An observer of calls and texts."""

    def __init__(self, log: RequestLog) -> None:
        self._log = log

    def call(self, call: Call, happening: Happening) -> None:
        """Write a call's event with its status, or what was said or pressed."""
        path = f"{account_path(call.account_sid)}/Calls/{call.sid}.json"
        if happening in CALL_EVENTS:
            self._write(call.account_sid, path, happening, ("CallStatus", call.status))
        elif happening == "line" and call.transcript[-1].kind != "fetch":
            line = call.transcript[-1]
            self._write(call.account_sid, path, line.kind, ("Text", line.text))

    def text(self, message: Message) -> None:
        """Write a text's status."""
        path = f"{account_path(message.account_sid)}/Messages/{message.sid}.json"
        about = ("MessageStatus", message.status)
        self._write(message.account_sid, path, message.status, about)

    def _write(self, account_sid: str, path: str, event: str, about: tuple[str, str]) -> None:
        name, value = about
        self._log.add(
            Entry(
                at=datetime.now(UTC),
                direction="event",
                method="",
                path=path,
                parameters=[(name, shortened(value))],
                status=None,
                account=account_sid,
                event=event,
            )
        )
