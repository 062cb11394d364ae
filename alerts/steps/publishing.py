"""Step 2: put a call's document where Twilio can read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from access.actor import process_user
from alerts.alert import Alert, Event, Problem
from alerts.errors import UnusableInput
from alerts.history import History
from alerts.message.call_twiml import write_document
from alerts.message.compose import filled_in
from alerts.services import Services
from alerts.status import Status
from storage import InlineStorage, Instructions, StorageError

# Documents are kept for a day at least. Twilio fetches one later, when the call leaves the
# account's queue, so a document that is older than this is stored again.
REUSE_DOCUMENTS_FOR = timedelta(hours=1)


@dataclass(frozen=True)
class Published(Instructions):
    """Instructions for a call, and when (`at`) their document was stored: it will expire."""

    at: datetime = field(kw_only=True)

    @property
    def is_fresh(self) -> bool:
        """Whether the document will be there long enough for Twilio to fetch it."""
        return self.url is None or datetime.now(UTC) - self.at < REUSE_DOCUMENTS_FOR


async def publish(
    services: Services, history: History, alert: Alert, before: Published | None
) -> Published | None:
    """Return instructions for the alert's call: those of `before`, or a newly stored document.

    Times in the document are as of when it is made. If the storage fails, it goes inside the
    request. If it can't be made, or is too long for that, the try fails, and None is returned.
    """
    before = before or published_before(alert)
    if before is not None and before.is_fresh:
        return before
    now = datetime.now(UTC)
    try:
        said = filled_in(alert.request, now)
        document = write_document(said, said.message, _key_press_url(services, alert)).to_xml()
    except UnusableInput as problem:
        await history.record(alert.id, unusable_message(alert.try_number, problem))
        return None
    # The name tells people who look into the storage when a document was made, and by whom.
    name = f"{now:%Y-%m-%d-%H%M}-{alert.request.user or process_user()}"
    try:
        stored = await services.storage.publish(name, document)
    except StorageError as problem:
        return await _inside_the_request(history, alert, document, problem)
    # The first submission of a try records where its document is, so record only later ones here.
    if stored.url is not None and alert.status is not Status.QUEUED:
        note = f"Stored again in {services.storage.label}"
        event = Event(now, None, note, try_number=alert.try_number, twiml_url=stored.url)
        await history.record(alert.id, event)
    return Published(stored.url, stored.twiml, at=now)


def _key_press_url(services: Services, alert: Alert) -> str | None:
    if not alert.request.acknowledge or services.callbacks is None:
        return None
    return services.callbacks.key_press(alert.id, alert.try_number)


def published_before(alert: Alert) -> Published | None:
    """Find in the alert's events where its call's document was stored last."""
    for event in reversed(alert.events):
        if event.try_number == alert.try_number and event.twiml_url is not None:
            return Published(event.twiml_url, at=event.at)
    return None


def unusable_message(try_number: int, problem: UnusableInput) -> Event:
    """Return the end of a try whose message, fine when it was sent, can't be filled in any more.

    Its time may have become longer than Twilio takes, or a condition may leave nothing to say.
    """
    error = Problem(None, str(problem), "Change the message, then send it again.")
    return Event(datetime.now(UTC), Status.FAILED, "Not sent", try_number=try_number, error=error)


async def _inside_the_request(
    history: History, alert: Alert, document: str, problem: StorageError
) -> Published | None:
    """Return instructions that hold the document itself, and record why it isn't stored."""
    try:
        inline = await InlineStorage().publish("", document)
        instructions = Published(twiml=inline.twiml, at=datetime.now(UTC))
        note, status = "Not stored: sent inside the request instead", None
    except StorageError:  # too long
        instructions, note, status = None, "Not stored, so not sent", Status.FAILED
    error = Problem.of(problem)
    event = Event(datetime.now(UTC), status, note, try_number=alert.try_number, error=error)
    await history.record(alert.id, event)
    return instructions
