"""Composing a request: everything in it checked, its numbers read, its variables filled in."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime

from alerts.alert import AlertRequest
from alerts.errors import UnusableInput
from alerts.message.call_twiml import check_language, write_document, write_voicemail
from alerts.message.languages import in_time_zone, spoken_now, spoken_today
from alerts.message.segments import MOST_TEXT_CHARACTERS
from alerts.phone_numbers import Regions, read_number
from alerts.quiet_hours import read_quiet_hours

MOST_LABEL_CHARACTERS = 200
# Of a message before its variables are filled in, which may make it shorter.
MOST_TEMPLATE_CHARACTERS = 20_000
# Unicode categories of characters that a database can't keep or a URL can't hold.
REFUSED_CATEGORIES = {"Cc": "a control character", "Cs": "half a character"}
# The variables of a message. The Send page has a button for each.
VARIABLES = ("now", "today", "user")
MOST_TRIES = 10
MOST_MINUTES_BETWEEN_TRIES = 24 * 60
MOST_FURTHER_NUMBERS = 9


def check_labels(request: AlertRequest) -> None:
    """Raise `UnusableInput` for an id or a name that can't be kept.

    Programs and people find an alert by these: its id, its sender and its recipient.
    """
    if request.id is not None:
        if not request.id:
            raise UnusableInput("id", "The id is empty. Leave it out, or name the alert.")
        _check("id", "The id", request.id)
    _check("user", "The sender's name", request.user)
    _check("name", "The recipient's name", request.name)


def _check(field: str, what: str, label: str) -> None:
    if len(label) > MOST_LABEL_CHARACTERS:
        raise UnusableInput(
            field,
            f"{what} holds {MOST_LABEL_CHARACTERS} characters at most; "
            f"this one has {len(label):,}.",
        )
    for character in label:
        refused = REFUSED_CATEGORIES.get(unicodedata.category(character))
        if refused:
            raise UnusableInput(field, f"{what} holds {refused}: take it out.")


def check_lengths(request: AlertRequest) -> None:
    """Raise `UnusableInput` for a text that is too long to be looked into."""
    for field, words, text, most in (
        ("message", "The message", request.message, MOST_TEMPLATE_CHARACTERS),
        ("voicemail", "The voicemail message", request.voicemail, MOST_TEMPLATE_CHARACTERS),
        ("voice", "The voice", request.voice, MOST_LABEL_CHARACTERS),
        ("language", "The language", request.language, MOST_LABEL_CHARACTERS),
        ("time_zone", "The time zone", request.time_zone, MOST_LABEL_CHARACTERS),
        ("quiet_hours", "Quiet hours", request.quiet_hours, MOST_LABEL_CHARACTERS),
        ("channel", "The channel", request.channel, MOST_LABEL_CHARACTERS),
    ):
        if len(text) > most:
            raise UnusableInput(
                field, f"{words} holds {most:,} characters at most; this one has {len(text):,}."
            )


def compose(request: AlertRequest, regions: Regions) -> AlertRequest:
    """Check the request, and return it with its numbers in E.164 and its variables filled in.

    Raises `UnusableInput` for the first thing that is wrong.
    """
    check_labels(request)
    check_lengths(request)
    _check_channel(request)
    _check_tries(request)
    if request.quiet_hours:
        read_quiet_hours(request.quiet_hours)
    to = read_number(request.to, regions).e164
    then_to = _read_others(to, request, regions)
    message = write_message(request)
    settled = replace(request, to=to, then_to=then_to, message=message)
    if request.channel == "call":
        write_document(settled, message)
    if request.then_text:
        _check_length(message, "The text that follows the call")
    if request.voicemail:
        settled = replace(settled, voicemail=_write_for_voicemail(request))
        write_voicemail(settled)
    return settled


def write_message(request: AlertRequest) -> str:
    """Return the message with its variables filled in as of now. Raises `UnusableInput`."""
    check_lengths(request)
    if request.channel == "call":
        check_language(request.language)
    language = request.language if request.channel == "call" else "en-US"
    # Imported here because Jinja2 takes 25 ms, and the first page doesn't need it.
    from alerts.message.templates import render  # noqa: PLC0415

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
    if request.channel == "text":
        _check_length(text, "A text")
    return text


def _write_for_voicemail(request: AlertRequest) -> str:
    try:
        return write_message(replace(request, message=request.voicemail))
    except UnusableInput as problem:
        words = str(problem).replace("message", "voicemail message", 1)
        raise UnusableInput("voicemail", words) from None


def _read_others(to: str, request: AlertRequest, regions: Regions) -> tuple[str, ...]:
    """Read the further numbers, none of which may be there twice."""
    if len(request.then_to) > MOST_FURTHER_NUMBERS:
        raise UnusableInput("then_to", f"Name {MOST_FURTHER_NUMBERS} further numbers at most.")
    known = [to]
    for number in request.then_to:
        try:
            e164 = read_number(number, regions).e164
        except UnusableInput as problem:
            is_short = 0 < len(number.strip()) < MOST_LABEL_CHARACTERS
            words = f"{number.strip()}: {problem}" if is_short else str(problem)
            raise UnusableInput("then_to", words) from None
        if e164 in known:
            raise UnusableInput("then_to", f"{number.strip()} is there twice. Name it once.")
        known.append(e164)
    return tuple(known[1:])


def _check_channel(request: AlertRequest) -> None:
    if request.channel not in ("call", "text"):
        raise UnusableInput("channel", f"{request.channel!r} is neither call nor text.")
    if request.channel == "call":
        return
    for field, chosen, sentence in (
        ("acknowledge", request.acknowledge, "Only a call can ask for a key press."),
        ("voicemail", request.voicemail, "Only a call can leave a message on voicemail."),
        ("then_text", request.then_text, "Only a call can be followed by a text."),
    ):
        if chosen:
            raise UnusableInput(field, sentence)


def _check_tries(request: AlertRequest) -> None:
    if not isinstance(request.tries, int) or not 1 <= request.tries <= MOST_TRIES:
        raise UnusableInput("tries", f"Try it 1 to {MOST_TRIES} times.")
    # The condition is written this way round so that NaN is refused too.
    if not 0 <= request.minutes_between_tries <= MOST_MINUTES_BETWEEN_TRIES:
        raise UnusableInput(
            "minutes_between_tries", f"Wait 0 to {MOST_MINUTES_BETWEEN_TRIES:,} minutes."
        )


def _check_length(text: str, what: str) -> None:
    if len(text) > MOST_TEXT_CHARACTERS:
        raise UnusableInput(
            "message",
            f"{what} holds {MOST_TEXT_CHARACTERS:,} characters at most; "
            f"this one has {len(text):,}.",
        )


def _is_whole(text: str) -> bool:
    """Whether `text` can be encoded: half an emoji (a lone surrogate) can't."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
