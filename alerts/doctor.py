"""The checks of `python -m alerts doctor`: is everything in place that an alert needs?

Each check really does what an alert would do, and then undoes it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx

from alerts.desk import Desk
from alerts.public_addresses import (
    ANSWER_TIMEOUT_SECONDS,
    no_answer,
    why_not_this_app,
    why_out_of_reach,
)
from alerts.services import Services
from database import DatabaseError
from settings import Settings, StorageKind
from storage import Instructions, S3Storage, StorageError
from twilio_client import TwilioClient, TwilioError, network_transport
from twiml import Response, Say

# Twilio appends such parameters to a GET. A presigned URL breaks when they are added.
TWILIO_PARAMETERS = {
    "CallSid": "CA" + "0" * 32,
    "From": "+15005550006",
    "CallStatus": "in-progress",
}
# The setting to change if Twilio can't reach the documents.
ADDRESS_SETTINGS: dict[StorageKind, str] = {
    "s3": "S3_PUBLIC_BASE_URL",
    "ftp": "FTP_PUBLIC_BASE_URL",
    "local": "PUBLIC_URL",
}
# How S3 services refuse to let anyone read; Cloudflare's R2 answers 400.
REFUSALS = (httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
SLOWER = "Until then Callboard looks for awaited replies itself, up to a minute later."
XML_TYPES = ("text/xml", "application/xml")


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of checking one thing, and a sentence about it."""

    name: str
    passed: bool
    sentence: str


async def examine(
    settings: Settings, desk: Desk, *, create_bucket: bool = False, set_webhook: bool = False
) -> AsyncIterator[Check]:
    """Yield each check as soon as its outcome is known; the desk's mode can be "observer"."""
    services = desk.services
    yield Check("Settings", True, _describe(settings, services))
    yield await _check_database(desk)
    yield await _check_account(settings, services)
    if create_bucket:
        yield await _create_bucket(services)
    yield await _check_storage(settings, services)
    if settings.public_url and not settings.simulated:
        yield await _check_callbacks(settings, settings.public_url)
    if set_webhook or (settings.public_url and not settings.simulated):
        yield await _check_replies(settings, services, set_webhook=set_webhook)


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


async def _check_callbacks(settings: Settings, public_url: str) -> Check:
    reason = _why_hidden(settings, public_url)
    if reason:
        problem: str | None = (
            f"Twilio can't reach PUBLIC_URL ({public_url}): {reason}. Set it to the address at "
            "which the internet reaches this app, or remove it."
        )
    else:
        problem = await why_not_this_app(public_url)
    if problem:
        return Check("Callbacks", False, problem)
    return Check("Callbacks", True, f"{public_url} is this app, and refuses what isn't signed.")


async def _check_replies(settings: Settings, services: Services, *, set_webhook: bool) -> Check:
    """Say where Twilio reports the texts to our number, and set that to this app if asked to.

    https://www.twilio.com/docs/messaging/guides/webhook-request
    """
    name, addresses = "Replies", services.callbacks
    if settings.simulated:
        return Check(name, False, "No account is set: the simulator needs no webhook.")
    if addresses is None:
        return Check(name, False, "Set PUBLIC_URL first: the webhook is an address below it.")
    here = addresses.inbound
    try:
        if services.messaging_service_sid:
            sid = services.messaging_service_sid
            return await _check_service(services.twilio, sid, here, set_webhook=set_webhook)
        return await _check_number(services, here, set_webhook=set_webhook)
    except TwilioError as problem:
        return Check(name, False, str(problem))


async def _check_number(services: Services, here: str, *, set_webhook: bool) -> Check:
    name, number = "Replies", services.from_number
    owned = await services.twilio.find_number(number)
    if owned is None:
        words = f"{number} isn't one of the account's own numbers, so nobody can reply to it."
        return Check(name, not set_webhook, words)
    if owned.sms_url == here and owned.sms_method in {None, "POST"}:
        return Check(name, True, f"Texts to {number} are reported here.")
    before = f"to {owned.sms_url}" if owned.sms_url else "nowhere"
    if not set_webhook:
        return _elsewhere(f"Texts to {number}", before)
    await services.twilio.update_number(owned.sid, sms_url=here)
    return Check(name, True, f"Texts to {number} are reported here now; before, {before}.")


async def _check_service(twilio: TwilioClient, sid: str, here: str, *, set_webhook: bool) -> Check:
    name, texts = "Replies", f"Texts to the messaging service {sid}"
    service = await twilio.fetch_messaging_service(sid)
    by_number = service.use_inbound_webhook_on_number
    if service.inbound_request_url == here and service.inbound_method == "POST" and not by_number:
        return Check(name, True, f"{texts} are reported here.")
    before = f"to {service.inbound_request_url}" if service.inbound_request_url else "nowhere"
    before = "where each of its numbers says" if by_number else before
    if not set_webhook:
        return _elsewhere(texts, before)
    await twilio.update_messaging_service(sid, inbound_request_url=here)
    return Check(name, True, f"{texts} are reported here now; before, {before}.")


def _elsewhere(texts: str, where: str) -> Check:
    # Another program may want them, and replies arrive all the same.
    change = "`python -m alerts doctor --set-webhook` changes it."
    return Check("Replies", True, f"{texts} are reported {where}, not here. {SLOWER} {change}")


def _why_hidden(settings: Settings, url: str) -> str | None:
    """Return why Twilio can't reach `url`, or None. A Twilio of one's own may be as near as it."""
    if settings.simulated or why_out_of_reach(settings.twilio_base_url):
        return None
    return why_out_of_reach(url)


async def _check_storage(settings: Settings, services: Services) -> Check:
    document = Response(Say("Callboard's doctor was here.")).to_xml()
    try:
        instructions = await services.storage.publish("doctor", document)
        try:
            problem = await _why_unreadable(settings, instructions, document, services)
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
    settings: Settings, instructions: Instructions, document: str, services: Services
) -> str | None:
    """Return a sentence about what keeps Twilio from reading the document, or None."""
    if instructions.url is None:
        return None
    where = f"{services.storage.label}, at {instructions.url}"
    hidden = _why_hidden(settings, instructions.url)
    if hidden:
        name = ADDRESS_SETTINGS.get(settings.storage_kind, "the address of the storage")
        return (
            f"Twilio can't reach {where}: {hidden}. Set {name} to the address at which the "
            "internet reaches it, or STORAGE=inline."
        )
    try:
        async with httpx.AsyncClient(
            transport=services.documents or network_transport(),
            timeout=ANSWER_TIMEOUT_SECONDS,
            follow_redirects=True,
        ) as twilio:
            answer = await twilio.get(instructions.url, params=TWILIO_PARAMETERS)
    except httpx.HTTPError as problem:
        return no_answer(where, problem)
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
