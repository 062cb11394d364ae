"""Twilio's requests to this app: check a status, key press or text, and add it to the history.

`callback_routes` are the routes at the `CallbackAddresses` that Twilio is told.
https://www.twilio.com/docs/usage/security#validating-requests
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from alerts.alert import Alert, Event
from alerts.errors import UnusableInput
from alerts.message.compose import filled_in
from alerts.replies import IncomingText
from alerts.services import (
    INBOUND_PATH,
    KEY_PRESS_PATH,
    STATUS_PATH,
    CallbackAddresses,
    GetHistory,
    Services,
    SignatureCheck,
)
from alerts.status import Status
from alerts.twilio_status import call_callback_update, message_callback_update
from database import DatabaseError

if TYPE_CHECKING:
    from alerts.history import History
    from twiml import Response as TwimlResponse

log = logging.getLogger(__name__)

CONFIRMING_KEY = "1"
LARGEST_BODY_BYTES = 64 * 1024  # Twilio's own requests are about 1,000 bytes long
MOST_FORM_FIELDS = 1000
FORM_CONTENT_TYPE = "application/x-www-form-urlencoded"
# Twilio waits 15 seconds for an answer.
DATABASE_TIMEOUT_SECONDS = 10.0


class UnknownAlert(LookupError):
    """Twilio reported on an alert that isn't in the history."""


class Refused(Exception):
    """A request to answer with the HTTP `status` alone; `str()` is the reason, for the log."""

    def __init__(self, status: int, reason: str, level: int = logging.WARNING) -> None:
        super().__init__(reason)
        self.status = status
        self.level = level


@dataclass(frozen=True, slots=True)
class CallbackTarget:
    """The try of an alert that Twilio reports on, and the SID of its call or text."""

    alert_id: str
    try_number: int
    sid: str

    @classmethod
    def of(cls, query: Mapping[str, str], form: Mapping[str, str]) -> Self:
        """Read the target from the URL's query and Twilio's form. Raises `UnknownAlert`."""
        alert_id, number = query.get("alert", ""), query.get("try", "")
        sid = form.get("CallSid") or form.get("MessageSid")
        is_number = number.isascii() and number.isdecimal() and len(number) < 6
        if not (alert_id and is_number and sid):
            raise UnknownAlert
        return cls(alert_id, int(number), sid)


@dataclass(frozen=True, slots=True)
class SignedForm:
    """A form that Twilio signed and posted to `url`. A repeated field has its last value."""

    url: str
    query: Mapping[str, str]
    fields: Mapping[str, str]


@dataclass(frozen=True)
class CallbackReceiver:
    """Accepts Twilio's requests about one account, and refuses all others.

    `addresses` or `is_from_twilio` is None if signatures can't be checked: it then refuses all.
    """

    account_sid: str
    addresses: CallbackAddresses | None
    is_from_twilio: SignatureCheck | None

    @classmethod
    def of(cls, services: Services) -> Self:
        """A receiver for the account of `services`."""
        return cls(services.twilio.account_sid, services.callbacks, services.is_from_twilio)

    async def read(self, request: Request, path: str) -> SignedForm:
        """Return the form that was posted to `path` below the public URL. Raises `Refused`."""
        body = await _read_body(request)
        fields = _read_fields(request.headers.get("content-type", ""), body)
        if self.addresses is None or self.is_from_twilio is None:
            raise Refused(403, "no PUBLIC_URL is set, so no request can be known to be Twilio's")
        # Check the URL that Twilio was told: a proxy may have changed the host and the path.
        query = request.scope["query_string"].decode("latin-1")
        url = f"{self.addresses.base}{path}" + (f"?{query}" if query else "")
        if not self.is_from_twilio(url, fields, request.headers.get("x-twilio-signature", "")):
            raise Refused(403, f"not signed by Twilio for {self.addresses.base}{path}")
        form = dict(fields)
        if form.get("AccountSid") != self.account_sid:
            raise Refused(403, "Twilio sent it for another account")
        return SignedForm(url, dict(parse_qsl(query)), form)


Handle = Callable[["History", SignedForm], Awaitable[Response]]


def callback_routes(receiver: CallbackReceiver, history: GetHistory) -> list[BaseRoute]:
    """The routes for `POST /twilio/status`, `POST /twilio/gather` and `POST /twilio/inbound`."""

    def route(path: str, handle: Handle) -> Route:
        async def answer(request: Request) -> Response:
            try:
                form = await receiver.read(request, path)
                return await _answer(history, handle, form)
            except Refused as refused:
                log.log(refused.level, "%s: %s", path, refused)
                return Response(status_code=refused.status)

        return Route(path, answer, methods=["POST"])

    return [
        route(STATUS_PATH, handle_status),
        route(KEY_PRESS_PATH, handle_key_press),
        route(INBOUND_PATH, handle_incoming_text),
    ]


async def handle_status(history: History, form: SignedForm) -> Response:
    """Record the status of a call or text, or who answered a call. Raises `UnknownAlert`."""
    target, fields = CallbackTarget.of(form.query, form.fields), form.fields
    update = call_callback_update if fields.get("CallSid") else message_callback_update
    event = update(fields).as_event(target.try_number, "callback", target.sid)
    await _record(history, target, event)
    return Response(status_code=204)


async def handle_key_press(history: History, form: SignedForm) -> Response:
    """Record a key press, and answer with what the call says next. Raises `UnknownAlert`.

    https://www.twilio.com/docs/voice/twiml/gather#action
    """
    target, digits = CallbackTarget.of(form.query, form.fields), form.fields.get("Digits", "")
    document = await _record_key_press(history, target, digits, form.url)
    return Response(document.to_xml(), media_type="text/xml")


async def handle_incoming_text(history: History, form: SignedForm) -> Response:
    """Save a text from one of our recipients, and answer that there is nothing to text back.

    https://www.twilio.com/docs/messaging/guides/webhook-request
    """
    # Imported here, and below, because the first page doesn't wait for it.
    from twiml import Response as TwimlResponse  # noqa: PLC0415

    fields = form.fields
    sid, from_ = fields.get("MessageSid", ""), fields.get("From", "")
    if not (sid and from_):
        raise Refused(400, "not an incoming text", logging.INFO)
    # PostgreSQL keeps no NUL in a text.
    body = fields.get("Body", "").replace("\0", "")
    text = IncomingText(sid, from_, fields.get("To", ""), body, datetime.now(UTC))
    await history.receive(text)
    return Response(TwimlResponse().to_xml(), media_type="text/xml")


async def _record_key_press(
    history: History, target: CallbackTarget, digits: str, ask_again_at: str
) -> TwimlResponse:
    from alerts.message.call_twiml import (  # noqa: PLC0415
        write_goodbye,
        write_second_question,
        write_thanks,
    )

    confirmed = digits == CONFIRMING_KEY
    event = Event(
        datetime.now(UTC),
        Status.ACKNOWLEDGED if confirmed else None,
        f"Pressed {digits[:20]}" if confirmed else _other_key(digits),
        "recipient",
        target.try_number,
        sid=target.sid,
    )
    alert = await _record(history, target, event)
    if alert is None or not digits:
        return write_goodbye()
    if confirmed:
        return write_thanks(alert.request)
    try:
        return write_second_question(filled_in(alert.request, event.at), ask_again_at)
    except UnusableInput as problem:
        # It had words when the call was placed, but has none at this time of day.
        log.warning("Alert %s can't ask for the key again: %s", alert.id, problem)
        return write_goodbye()


def _other_key(digits: str) -> str:
    return f"Pressed {digits[:20]} (not {CONFIRMING_KEY})" if digits else "Pressed nothing"


async def _record(history: History, target: CallbackTarget, event: Event) -> Alert | None:
    """Record an event and return the alert after it. Raises `UnknownAlert`.

    An event about another call or text than the try's own is kept as a note only; returns None.
    """
    alert = await history.record_callback(target.alert_id, event, target.sid)
    if alert is not None:
        return alert
    stray = replace(
        event,
        status=None,
        note=f"{event.note}, in another call or text ({target.sid})",
        sid=None,
        error=None,
        answered_by=None,
    )
    if await history.record_callback(target.alert_id, stray) is None:
        raise UnknownAlert
    return None


async def _answer(history: GetHistory, handle: Handle, form: SignedForm) -> Response:
    try:
        async with asyncio.timeout(DATABASE_TIMEOUT_SECONDS):
            return await handle(await history(), form)
    except UnknownAlert:
        raise Refused(404, "about an alert that isn't here", logging.INFO) from None
    except (TimeoutError, DatabaseError):
        raise Refused(503, "the database can't be reached, so nothing was recorded") from None


async def _read_body(request: Request) -> bytes:
    body = b""
    try:
        async for part in request.stream():
            body += part
            if len(body) > LARGEST_BODY_BYTES:
                raise Refused(413, "too large for a request of Twilio's", logging.INFO)
    except ClientDisconnect:
        raise Refused(400, "the sender hung up before its end", logging.INFO) from None
    return body


def _read_fields(content_type: str, body: bytes) -> list[tuple[str, str]]:
    try:
        if content_type.partition(";")[0].strip().lower() != FORM_CONTENT_TYPE:
            raise ValueError(content_type)
        return parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=MOST_FORM_FIELDS,
        )
    except ValueError:
        # The error's own words may quote the request, so they stay out of the log.
        raise Refused(400, "not a form", logging.INFO) from None
