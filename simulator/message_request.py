"""What a POST to the Messages resource asks for."""

from __future__ import annotations

from collections.abc import Callable

from simulator.api.forms import Form, read_callback
from simulator.errors import ApiError
from simulator.models.message import MessageRequest
from simulator.models.phone_numbers import MESSAGE_FROM, MESSAGE_TO, read_number, refuse_if_magic
from simulator.models.sids import is_messaging_service_sid
from simulator.models.webhooks import is_web_address
from simulator.schedule import read_send_at

LONGEST_BODY = 1600


MOST_MEDIA = 10


def read_message_request(
    form: Form, own_number: str, may_text_from: Callable[[str], bool]
) -> MessageRequest:
    """The text that `form` asks for; a Messaging Service sends from `own_number`.

    Raises ApiError, for a sender too that the account may not use.
    """
    to = _read_to(form)
    service = _read_messaging_service(form)
    from_ = None if service else _read_from(form, may_text_from)
    if to == (from_ or own_number):
        raise ApiError(21266, "'To' and 'From' number cannot be the same.")
    media_urls = _read_media(form)
    body = form.get("Body")
    if not body and not media_urls:
        raise ApiError(21602, "Message body is required.")
    if len(body) > LONGEST_BODY:
        raise ApiError(21617, "The concatenated message body exceeds the 1600 character limit.")
    status_callback = read_callback(form, "StatusCallback")
    send_at = read_send_at(form, service)
    return MessageRequest(to, from_, service, body, media_urls, status_callback, send_at)


def _read_to(form: Form) -> str:
    text = form.get("To")
    if not text.strip():
        raise ApiError(21604, "A 'To' phone number is required.")
    to = read_number(text)
    if to is None:
        raise ApiError(21211, f"The 'To' number {text} is not a valid phone number.")
    refuse_if_magic(to, MESSAGE_TO)
    return to


def _read_messaging_service(form: Form) -> str | None:
    sid = form.get("MessagingServiceSid")
    if sid and not is_messaging_service_sid(sid):
        raise ApiError(21701, "The Messaging Service does not exist.")
    return sid or None


def _read_from(form: Form, may_text_from: Callable[[str], bool]) -> str:
    text = form.get("From")
    if not text.strip():
        raise ApiError(21603, "A 'From' phone number is required.")
    from_ = read_number(text)
    if from_ is None:
        raise ApiError(
            21212,
            f"The 'From' number {text} is not a valid phone number, shortcode, or alphanumeric "
            "sender ID.",
        )
    refuse_if_magic(from_, MESSAGE_FROM)
    if not may_text_from(from_):
        raise ApiError(
            21606,
            f"The 'From' phone number provided ({from_}) is not a valid message-capable Twilio "
            "phone number for this destination.",
        )
    return from_


def _read_media(form: Form) -> tuple[str, ...]:
    urls = form.get_all("MediaUrl")
    if len(urls) > MOST_MEDIA:
        raise ApiError(21623, "Number of media files exceeds allowed limit.")
    if not all(is_web_address(url) for url in urls):
        raise ApiError(21620, "Invalid media URL(s)")
    return urls
