"""What Twilio tells this app about an alert, written into its history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import sqlalchemy as sa

from alerts.alert import Alert, Event
from alerts.callback_addresses import About, UnknownAlert
from alerts.documents import write_again, write_thanks
from alerts.history import History
from alerts.keeping.claims import claim
from alerts.keeping.rows import Row
from alerts.status import Status
from alerts.steps.observations import event_of, observe_call_callback, observe_message_callback
from twiml import Hangup, Response

CONFIRMING_KEY = "1"


async def hear_status(history: History, about: About, form: Mapping[str, str]) -> None:
    """Keep what a status callback says, or one of answering-machine detection.

    Raises `UnknownAlert`.
    """
    observe = observe_call_callback if form.get("CallSid") else observe_message_callback
    await _keep(history, about, event_of(observe(form), about.try_number, "callback", about.sid))


async def hear_key_press(
    history: History, about: About, form: Mapping[str, str], ask_again_at: str
) -> Response:
    """Keep what somebody pressed; gives what the call says next. Raises `UnknownAlert`.

    https://www.twilio.com/docs/voice/twiml/gather#action
    """
    digits = form.get("Digits", "")
    confirmed = digits == CONFIRMING_KEY
    event = Event(
        datetime.now(UTC),
        Status.ACKNOWLEDGED if confirmed else None,
        f"Pressed {digits[:20]}" if confirmed else _other_key(digits),
        "recipient",
        about.try_number,
        sid=about.sid,
    )
    alert = await _keep(history, about, event)
    if alert is None or not digits:
        return Response(Hangup())
    return write_thanks(alert.request) if confirmed else write_again(alert.request, ask_again_at)


def _other_key(digits: str) -> str:
    return f"Pressed {digits[:20]} (not {CONFIRMING_KEY})" if digits else "Pressed nothing"


async def _keep(history: History, about: About, event: Event) -> Alert | None:
    """The alert after the event; None if that was about another call than the try's.

    Then it is kept too, but nothing follows from it. Raises `UnknownAlert`.
    """

    def was_made(_: sa.Connection, row: Row) -> bool:
        return bool(1 <= about.try_number <= row["try_number"])

    def is_the_trys(connection: sa.Connection, row: Row) -> bool:
        return was_made(connection, row) and claim(connection, row, about.try_number, about.sid)

    alert = await history.record(about.alert_id, event, is_the_trys)
    if alert is not None:
        return alert
    strange = replace(
        event,
        status=None,
        note=f"{event.note}, in another call or text ({about.sid})",
        sid=None,
        error=None,
        answered_by=None,
    )
    if await history.record(about.alert_id, strange, was_made) is None:
        raise UnknownAlert
    return None
