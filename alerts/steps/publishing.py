"""Step 2: putting a call's document where Twilio can read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from alerts.alert import Alert, Event, Problem, tries_of
from alerts.message.call_twiml import write_document
from alerts.services import login_name
from alerts.status import Status
from alerts.steps.courier import Courier
from storage import InlineStorage, Instructions, StorageError

# A good deal less than documents live, a day at least: an account may have many calls waiting.
GOOD_FOR = timedelta(hours=1)


@dataclass(frozen=True)
class Published(Instructions):
    """Instructions whose document was published `at` that time, and won't live for ever."""

    at: datetime = field(kw_only=True)


async def publish(courier: Courier, alert_id: str, try_number: int) -> Instructions | None:
    """Publish the document of a call; a text needs none, nor does what is under way already.

    A storage that fails keeps no phone from ringing: a document that is short enough then goes
    inside the request. One that isn't ends the try.
    """
    alert = await courier.alert(alert_id)
    wanted = tries_of(alert.request)[try_number - 1]
    if wanted.channel == "text" or alert.sid or alert.try_number != try_number:
        return None
    document = _document(courier, alert, try_number)
    # Its name tells people who look there when it was made and for whom.
    now = datetime.now(UTC)
    name = f"{now:%Y-%m-%d-%H%M}-{alert.request.user or login_name()}"
    try:
        stored = await courier.services.storage.publish(name, document)
        return Published(stored.url, stored.twiml, at=now)
    except StorageError as problem:
        instructions = await _inside_the_request(document)
        if instructions is None:
            note, status = "Not stored, so not sent", Status.FAILED
        else:
            note, status = "Not stored: sent inside the request instead", None
        error = Problem.of(problem)
        event = Event(datetime.now(UTC), status, note, try_number=try_number, error=error)
        await courier.history.record(alert_id, event)
        return instructions


async def still_good(
    courier: Courier, alert_id: str, try_number: int, instructions: Instructions | None
) -> Instructions | None:
    """The instructions, published anew if their document may be gone when Twilio wants to read it.

    For what was published once is used however long a request has to wait, or this program is away.
    """
    if instructions is None or instructions.url is None:
        return instructions
    if isinstance(instructions, Published) and datetime.now(UTC) - instructions.at < GOOD_FOR:
        return instructions
    anew, alert = await publish(courier, alert_id, try_number), await courier.alert(alert_id)
    # The first request tells by itself where its document is.
    if anew is not None and anew.url is not None and alert.status is not Status.QUEUED:
        note = f"Stored again in {courier.services.storage.label}"
        event = Event(datetime.now(UTC), None, note, try_number=try_number, twiml_url=anew.url)
        await courier.history.record(alert_id, event)
    return anew


async def _inside_the_request(document: str) -> Instructions | None:
    """The document itself, if Twilio takes it that way."""
    try:
        return await InlineStorage().publish("", document)
    except StorageError:
        return None  # too long


def _document(courier: Courier, alert: Alert, try_number: int) -> str:
    callbacks = courier.services.callbacks
    keys = callbacks.key_press(alert.id, try_number) if callbacks else None
    return write_document(alert.request, alert.message, keys).to_xml()
