"""What belongs to a text: its media, and feedback on whether it was read.

https://www.twilio.com/docs/messaging/api/media-resource
https://www.twilio.com/docs/messaging/api/message-feedback-resource
"""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from simulator.api.authentication import account_of
from simulator.api.forms import read_form, read_query
from simulator.api.lists import date_filter, list_page
from simulator.api.resources import ACCOUNT_PATTERN, exchange_of, find_record, rfc_2822
from simulator.errors import ApiError, not_found
from simulator.models.message import Message

_OUTCOMES = ("unconfirmed", "confirmed")


@dataclass(frozen=True)
class Media:
    """One picture or file of a text; it stays at the `url` that the text was sent with."""

    sid: str
    message: Message
    url: str

    @property
    def date_created(self) -> datetime:
        """When the text was made."""
        return self.message.date_created

    @property
    def content_type(self) -> str:
        """The media type, by the name of the file: the simulator doesn't fetch it."""
        return mimetypes.guess_type(urlsplit(self.url).path)[0] or "application/octet-stream"


async def media_list(request: Request) -> Response:
    """GET lists the media of a text."""
    message, query = _message_of(request), read_query(request)
    was_created = date_filter(query, "DateCreated")
    found = [media for media in _media_of(message) if was_created(media.date_created)]
    path = f"{message.path}/Media.json"
    return JSONResponse(list_page(found, "media_list", path, query, _to_json))


async def media(request: Request) -> Response:
    """GET fetches what is known of one picture or file."""
    return JSONResponse(_to_json(_find(request, _message_of(request))))


async def content(request: Request) -> Response:
    """GET redirects to the file itself, without a password: the address alone is enough."""
    messages = exchange_of(request).messages
    message = find_record(request, messages, request.path_params["account_sid"])
    return RedirectResponse(_find(request, message).url)


async def feedback(request: Request) -> Response:
    """POST says whether the text was read, which is ignored. GET lists nothing."""
    message = _message_of(request)
    path = f"{message.path}/Feedback.json"
    if request.method != "POST":
        none: list[Message] = []
        return JSONResponse(list_page(none, "feedback", path, read_query(request), lambda _: {}))
    outcome = (await read_form(request)).get("Outcome") or "unconfirmed"
    if outcome not in _OUTCOMES:
        raise ApiError(20001, f"Outcome must be {' or '.join(_OUTCOMES)}.")
    now = rfc_2822(exchange_of(request).clock.now())
    found = {
        "account_sid": message.account_sid,
        "message_sid": message.sid,
        "outcome": outcome,
        "date_created": now,
        "date_updated": now,
        "uri": path,
    }
    return JSONResponse(found, status_code=201)


def _message_of(request: Request) -> Message:
    account = account_of(request)
    return find_record(request, exchange_of(request).messages, account.sid)


def _media_of(message: Message) -> list[Media]:
    return [
        Media(_media_sid(message, number), message, url)
        for number, url in enumerate(message.request.media_urls)
    ]


def _media_sid(message: Message, number: int) -> str:
    return f"ME{hashlib.sha256(f'{message.sid} {number}'.encode()).hexdigest()[:32]}"


def _find(request: Request, message: Message) -> Media:
    sid = request.path_params["media_sid"]
    found = next((media for media in _media_of(message) if media.sid == sid), None)
    if found is None:
        raise not_found(request.url.path)
    return found


def _to_json(media: Media) -> dict[str, object]:
    created = rfc_2822(media.date_created)
    return {
        "sid": media.sid,
        "account_sid": media.message.account_sid,
        "parent_sid": media.message.sid,
        "content_type": media.content_type,
        "date_created": created,
        "date_updated": created,
        "uri": f"{media.message.path}/Media/{media.sid}.json",
    }


_MESSAGE = f"{ACCOUNT_PATTERN}/Messages/{{sid}}"

MEDIA_ROUTES = (
    Route(f"{_MESSAGE}/Media.json", media_list, methods=["GET"]),
    Route(f"{_MESSAGE}/Media/{{media_sid}}.json", media, methods=["GET"]),
    Route(f"{_MESSAGE}/Media/{{media_sid}}", content, methods=["GET"]),
    Route(f"{_MESSAGE}/Feedback.json", feedback, methods=["GET", "POST"]),
)
