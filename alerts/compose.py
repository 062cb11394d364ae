"""Step 1: from what was asked for to what will be heard or read. Nothing leaves this machine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from alerts.alert import AlertRequest
from alerts.errors import UnusableInput
from alerts.numbers import PhoneNumber, Regions, read_number
from alerts.segments import MAX_TEXT
from alerts.spoken_time import in_time_zone, spoken_now, spoken_today
from alerts.templates import render
from alerts.voices import LANGUAGE_NAMES, voices_for
from twiml import Response, Say, TwimlError

VARIABLES = ("now", "today", "user")


@dataclass(frozen=True, slots=True)
class Composed:
    """An alert ready to go: the number, the words, and for a call the document that speaks them."""

    to: PhoneNumber
    text: str
    document: Response | None


def compose(request: AlertRequest, regions: Regions) -> Composed:
    """Read the number and write the message; raises `UnusableInput` for whatever is wrong."""
    to = read_number(request.to, regions)
    text = write_message(request)
    document = write_document(request, text) if request.channel == "call" else None
    return Composed(to, text, document)


def write_message(request: AlertRequest) -> str:
    """The message with its variables filled in, as it stands at this moment."""
    if request.channel not in ("call", "text"):
        raise UnusableInput("channel", f"{request.channel!r} is neither call nor text.")
    if request.channel == "call" and request.language not in LANGUAGE_NAMES:
        raise UnusableInput(
            "language", f"{request.language!r} is not a language that Callboard has."
        )
    language = request.language if request.channel == "call" else "en-US"
    now = in_time_zone(datetime.now(UTC), request.time_zone)
    text = render(
        request.message,
        {
            "now": spoken_now(now, language),
            "today": spoken_today(now, language),
            "user": request.user or "somebody",
        },
    )
    if not text:
        raise UnusableInput("message", "Write a message.")
    if not _is_whole(text):
        raise UnusableInput("message", "The message holds half a character: take it out.")
    if request.channel == "text" and len(text) > MAX_TEXT:
        raise UnusableInput(
            "message", f"A text holds {MAX_TEXT:,} characters; this one has {len(text):,}."
        )
    return text


def _is_whole(text: str) -> bool:
    """Whether `text` can leave this machine: half an emoji (a lone surrogate) can't."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def write_document(request: AlertRequest, text: str) -> Response:
    """The TwiML that speaks `text` in the chosen voice, as often as asked."""
    if request.voice not in voices_for(request.language):
        raise UnusableInput(
            "voice",
            f"The voice {request.voice!r} doesn't speak {LANGUAGE_NAMES[request.language]}. "
            f"Choose one of {', '.join(voices_for(request.language))}.",
        )
    if request.repeat < 0:
        raise UnusableInput(
            "repeat", "A call says its message once or more, or 0: until they hang up."
        )
    try:
        say = Say(text, voice=request.voice, language=request.language, loop=request.repeat)
        return Response(say)
    except TwimlError as problem:
        raise UnusableInput("message", str(problem)) from None
