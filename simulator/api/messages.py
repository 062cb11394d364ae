"""The Messages resource. https://www.twilio.com/docs/messaging/api/message-resource"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from simulator.api.authentication import account_of, require_active
from simulator.api.forms import Form, read_callback, read_form, read_phone_number, read_query
from simulator.api.lists import date_filter, list_page, matches_number
from simulator.api.resources import (
    exchange_of,
    find_record,
    price_to_json,
    resource_routes,
    rfc_2822,
    subresource_uris,
)
from simulator.errors import ApiError
from simulator.exchange import Exchange
from simulator.models.account import Account
from simulator.models.message import LONGEST_BODY_CHARACTERS, Message, MessageRequest
from simulator.models.phone_numbers import (
    MESSAGE_FROM,
    MESSAGE_TO,
    is_sender_id,
    read_sender,
    takes_sender_ids,
)
from simulator.models.sids import API_VERSION, is_sid
from simulator.models.webhooks import is_web_address

MOST_MEDIA = 10
EARLIEST_SCHEDULE = timedelta(seconds=300)
LATEST_SCHEDULE = timedelta(days=35)

_ERROR_MESSAGES = {
    30001: "Queue overflow",
    30003: "Unreachable destination handset",
    30006: "Landline or unreachable carrier",
    30008: "Unknown error",
}
_SUBRESOURCES = ("Media", "Feedback")

TRIAL_WORDS = "Sent from your Twilio trial account - "
"""What texts begin with while the account is on trial."""


async def messages(request: Request) -> Response:
    """POST sends a text, GET lists them."""
    account, exchange = account_of(request), exchange_of(request)
    if request.method != "POST":
        return JSONResponse(_list(exchange, account, read_query(request)))
    require_active(account)
    wanted = _read_message_request(await read_form(request), exchange, account)
    if not account.may_reach(wanted.to):
        raise ApiError(
            21608,
            f"The number {wanted.to} is unverified. Trial accounts cannot send messages to "
            "unverified numbers.",
        )
    if account.on_trial:
        wanted = replace(wanted, body=f"{TRIAL_WORDS}{wanted.body}")
    sent = exchange.create_message(account.sid, wanted)
    return JSONResponse(_to_json(sent), status_code=201)


async def message(request: Request) -> Response:
    """GET fetches a text, POST redacts or cancels it, DELETE deletes one that is over."""
    account, exchange = account_of(request), exchange_of(request)
    found = find_record(request, exchange.messages, account.sid)
    if request.method == "DELETE":
        _require_over(found, "delete")
        del exchange.messages[found.sid]
        return Response(status_code=204)
    if request.method == "POST":
        _update(exchange, found, await read_form(request))
    return JSONResponse(_to_json(found))


def _list(exchange: Exchange, account: Account, query: Form) -> dict[str, object]:
    was_sent = date_filter(query, "DateSent")
    found = [
        message
        for message in reversed(exchange.messages.values())
        if message.account_sid == account.sid
        and matches_number(query, "To", message.request.to)
        and matches_number(query, "From", message.from_)
        and was_sent(message.date_sent)
    ]
    return list_page(found, "messages", f"{account.path}/Messages.json", query, _to_json)


def _update(exchange: Exchange, message: Message, form: Form) -> None:
    """https://www.twilio.com/docs/messaging/api/message-resource#update-a-message-resource"""
    if form.get("Status") not in {"", "canceled"}:
        raise ApiError(20001, "Status must be canceled.")
    if form.get("Status"):
        if message.status != "scheduled":
            raise ApiError(30409, "This message cannot be canceled.")
        exchange.cancel(message)
        return
    if "Body" not in form:
        return
    if form.get("Body"):
        raise ApiError(20001, "Body must be empty: a text can be redacted, not rewritten.")
    _require_over(message, "redact")
    message.redact()


def _require_over(message: Message, action: str) -> None:
    if not message.is_over:
        text = f"Cannot {action} message because delivery has not been completed."
        raise ApiError(20009, text, status=409)


def _read_message_request(form: Form, exchange: Exchange, account: Account) -> MessageRequest:
    """Read the text that `form` asks for; a Messaging Service sends from the exchange's own
    number, or from the `From` that comes with it.

    Raises ApiError, also for a sender that the account may not use.
    https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource
    """
    to = read_phone_number(
        form,
        "To",
        MESSAGE_TO,
        missing=(21604, "A 'To' phone number is required."),
        invalid=(21211, "The 'To' number {number} is not a valid phone number."),
    )
    service = form.get("MessagingServiceSid") or None
    if service and not is_sid(service, "MG"):
        raise ApiError(21701, "The Messaging Service does not exist.")
    from_ = None if service and not form.get("From").strip() else _read_from(form, account)
    if to == (from_ or exchange.own_number):
        raise ApiError(21266, "'To' and 'From' number cannot be the same.")
    if from_ is not None and is_sender_id(from_) and not takes_sender_ids(to):
        raise ApiError(
            21612,
            f"Message cannot be sent with the current combination of 'To' ({to}) and/or "
            f"'From' ({from_}) parameters",
        )
    media_urls = _read_media(form)
    body = form.get("Body")
    if not body and not media_urls:
        raise ApiError(21602, "Message body is required.")
    if len(body) > LONGEST_BODY_CHARACTERS:
        raise ApiError(21617, "The concatenated message body exceeds the 1600 character limit.")
    return MessageRequest(
        to=to,
        from_=from_,
        messaging_service_sid=service,
        body=body,
        media_urls=media_urls,
        status_callback=read_callback(form, "StatusCallback"),
        send_at=_read_send_at(form, service, exchange.clock.now()),
    )


def _read_from(form: Form, account: Account) -> str:
    """Read a number, a short code of the account's, or a sender ID. Raises ApiError."""
    from_ = read_phone_number(
        form,
        "From",
        MESSAGE_FROM,
        missing=(21603, "A 'From' phone number is required."),
        invalid=(
            21212,
            "The 'From' number {number} is not a valid phone number, shortcode, or alphanumeric "
            "sender ID.",
        ),
        read=read_sender,
    )
    if not account.may_text_from(from_):
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


def _read_send_at(form: Form, service: str | None, now: datetime) -> datetime | None:
    """Read `SendAt` if `ScheduleType` is `fixed`, else None. Raises ApiError.

    `now` is the time by the simulator's clock.

    https://www.twilio.com/docs/messaging/features/message-scheduling
    """
    if form.get("ScheduleType") != "fixed":
        return None
    if service is None:
        raise ApiError(35118, "MessagingServiceSid is required to schedule a message")
    text = form.get("SendAt")
    if not text:
        raise ApiError(35111, "SendAt timestamp is missing")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ApiError(35114, f"SendAt is not a timestamp: {text}") from None
    moment = moment.replace(tzinfo=moment.tzinfo or UTC)
    if not EARLIEST_SCHEDULE <= moment - now <= LATEST_SCHEDULE:
        raise ApiError(35114, "SendAt time must be between 300 seconds and 35 days in the future")
    return moment


def _to_json(message: Message) -> dict[str, object]:
    """https://www.twilio.com/docs/messaging/api/message-resource#message-properties"""
    error_code = message.error_code
    return {
        "sid": message.sid,
        "account_sid": message.account_sid,
        "messaging_service_sid": message.request.messaging_service_sid,
        "to": message.request.to,
        "from": message.from_,
        "body": message.body,
        "status": message.status,
        "direction": message.direction,
        "num_segments": "0" if message.from_ is None else str(message.segments),
        "num_media": str(len(message.request.media_urls)),
        "date_created": rfc_2822(message.date_created),
        "date_updated": rfc_2822(message.date_updated),
        "date_sent": rfc_2822(message.date_sent),
        "error_code": error_code,
        "error_message": None
        if error_code is None
        else _ERROR_MESSAGES.get(error_code, "Unknown error"),
        "price": price_to_json(message.price),
        "price_unit": "USD",
        "api_version": API_VERSION,
        "uri": f"{message.path}.json",
        "subresource_uris": subresource_uris(message.path, _SUBRESOURCES),
    }


MESSAGE_ROUTES = resource_routes("Messages", messages, message)
