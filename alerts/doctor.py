"""The checks of `python -m alerts doctor`: is everything in place that an alert needs?

Each check really does what an alert would do, and then undoes it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx

from alerts.desk import Desk
from alerts.services import Services
from database import DatabaseError
from settings import Settings
from storage import Instructions, S3Storage, StorageError
from twilio_client import TwilioError
from twiml import Response, Say

# Twilio appends such parameters to a GET. A presigned URL breaks when they are added.
TWILIO_PARAMETERS = {
    "CallSid": "CA" + "0" * 32,
    "From": "+15005550006",
    "CallStatus": "in-progress",
}
READ_TIMEOUT_SECONDS = 15.0  # as long as Twilio waits
# How S3 services refuse to let anyone read; Cloudflare's R2 answers 400.
REFUSALS = (httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
XML_TYPES = ("text/xml", "application/xml")


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of checking one thing, and a sentence about it."""

    name: str
    passed: bool
    sentence: str


async def examine(
    settings: Settings, desk: Desk, *, create_bucket: bool = False
) -> AsyncIterator[Check]:
    """Yield each check as soon as its outcome is known; the desk's mode can be "observer"."""
    services = desk.services
    yield Check("Settings", True, _describe(settings, services))
    yield await _check_database(desk)
    yield await _check_account(settings, services)
    if create_bucket:
        yield await _create_bucket(services)
    yield await _check_storage(services)


def _describe(settings: Settings, services: Services) -> str:
    who = (
        "the simulator answers" if settings.simulated else f"account {settings.twilio_account_sid}"
    )
    return (
        f"{who}; caller ID {services.from_number}; calls to {', '.join(services.regions.allowed)}."
    )


async def _check_database(desk: Desk) -> Check:
    try:
        workers = await desk.workers()
    except DatabaseError as problem:
        return Check("Database", False, str(problem))
    who = {0: "no worker runs, so the app delivers", 1: "a worker delivers"}
    return Check(
        "Database", True, f"It is writable; {who.get(workers, f'{workers} workers deliver')}."
    )


async def _check_account(settings: Settings, services: Services) -> Check:
    key = settings.twilio_api_key_sid
    try:
        if key:
            # A standard API key may not read the account itself, so read the list of calls.
            _ = [call async for call in services.twilio.list_calls(limit=1)]
            return Check("Twilio", True, f"It accepts the API key {key}.")
        account = await services.twilio.fetch_account()
    except TwilioError as problem:
        return Check("Twilio", False, str(problem))
    active = account.status == "active"
    return Check("Twilio", active, f"{account.friendly_name} is {account.status}.")


async def _create_bucket(services: Services) -> Check:
    if not isinstance(services.storage, S3Storage):
        return Check("Bucket", False, "Documents don't go to S3: set S3_BUCKET first.")
    try:
        done = await services.storage.create_bucket()
    except StorageError as problem:
        return Check("Bucket", False, str(problem))
    return Check("Bucket", True, " ".join(done))


async def _check_storage(services: Services) -> Check:
    document = Response(Say("Callboard's doctor was here.")).to_xml()
    try:
        instructions = await services.storage.publish("doctor", document)
        try:
            problem = await _why_unreadable(instructions, document, services)
        finally:
            await services.storage.delete(instructions)
    except StorageError as broken:
        return Check("Storage", False, str(broken))
    if problem:
        return Check("Storage", False, problem)
    if instructions.url is None:
        return Check("Storage", True, "Documents go inside the request; nothing is stored.")
    return Check(
        "Storage",
        True,
        f"A document was stored, read as Twilio would, and deleted: {services.storage.label}.",
    )


async def _why_unreadable(
    instructions: Instructions, document: str, services: Services
) -> str | None:
    """Return a sentence about what keeps Twilio from reading the document, or None."""
    if instructions.url is None:
        return None
    where = f"{services.storage.label}, at {instructions.url}"
    try:
        async with httpx.AsyncClient(
            transport=services.documents, timeout=READ_TIMEOUT_SECONDS, follow_redirects=True
        ) as twilio:
            answer = await twilio.get(instructions.url, params=TWILIO_PARAMETERS)
    except httpx.HTTPError as problem:
        return f"No answer from {where} ({type(problem).__name__}): is that address public?"
    return _why_wrong(answer, document, where, services)


def _why_wrong(answer: httpx.Response, document: str, where: str, services: Services) -> str | None:
    if answer.status_code in REFUSALS and isinstance(services.storage, S3Storage):
        return (
            f"Twilio may not read {where} (HTTP {answer.status_code}): run `python -m alerts "
            "doctor --create-bucket`. If that didn't help, make the prefix readable with the "
            "service's own tools, and set S3_PUBLIC_BASE_URL to the address where it can be read."
        )
    if answer.status_code != httpx.codes.OK:
        return f"Twilio would get HTTP {answer.status_code} from {where}."
    content_type = answer.headers.get("content-type", "no content type")
    if content_type.split(";")[0] not in XML_TYPES:
        return f"Twilio would not take it for TwiML: {where} says {content_type}."
    if answer.text != document:
        return f"The document read from {where} isn't the one that was stored."
    return None
