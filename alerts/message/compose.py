"""Composing a request: everything in it checked, its numbers read; and its words at a moment."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime

from alerts.alert import Alert, AlertRequest, Channel
from alerts.errors import UnusableInput
from alerts.message.languages import (
    key_press_words,
    spoken_now,
    spoken_today,
    voice_note,
)
from alerts.message.segments import MOST_TEXT_CHARACTERS, savings
from alerts.phone_numbers import PhoneNumber, Regions, keys_of, read_number, shortened
from alerts.quiet_hours import read_quiet_hours
from alerts.status import Status
from alerts.time_zones import check_zone, in_time_zone
from database.characters import is_whole

MOST_LABEL_CHARACTERS = 200
# The length of a message before its variables are filled in, which may make it shorter.
MOST_TEMPLATE_CHARACTERS = 20_000
# Unicode categories of characters that a database can't keep or a URL can't hold.
REFUSED_CATEGORIES = {
    "Cc": "a control character",
    "Cs": "a broken character, perhaps half an emoji",
}
# The variables of a message. The Send page has a button for each.
VARIABLES = ("name", "now", "today", "user")
MOST_VARIABLES = 200  # of an alert's own, such as the columns of a row
NO_NAME = (
    "No name is known for this recipient. Leave {{ name }} out, or write "
    "{{ name | default('there') }}."
)
MOST_TRIES = 10
MOST_MINUTES_BETWEEN_TRIES = 24 * 60
MOST_FURTHER_NUMBERS = 9
MOST_HOLD_SECONDS = 60


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
    _check("broadcast", "The broadcast's id", request.broadcast)


def _check(field: str, what: str, label: str) -> None:
    _check_length(field, what, label, MOST_LABEL_CHARACTERS)
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
        ("quiet_hours", "The text of the quiet hours", request.quiet_hours, MOST_LABEL_CHARACTERS),
        ("channel", "The channel", request.channel, MOST_LABEL_CHARACTERS),
    ):
        _check_length(field, words, text, most)
    if len(request.variables) > MOST_VARIABLES:
        raise UnusableInput("variables", f"Name {MOST_VARIABLES} variables at most.")
    for name, value in request.variables.items():
        _check_length("variables", "The name of a variable", name, MOST_LABEL_CHARACTERS)
        _check_length("variables", f"{{{{ {name} }}}}", value, MOST_TEMPLATE_CHARACTERS)


def compose(request: AlertRequest, regions: Regions) -> AlertRequest:
    """Check the request, and return it with its numbers as in `PhoneNumber.dialed`.

    Its messages stay as they are written: each try fills in their variables. Raises `UnusableInput`
    for the first thing that is wrong.
    """
    # Imported here because it loads twiml, which the first page doesn't wait for.
    from alerts.message.call_twiml import check_call, write_voicemail  # noqa: PLC0415

    check_labels(request)
    check_lengths(request)
    _check_channel(request)
    _check_tries(request)
    _check_hold(request)
    check_zone(request.time_zone)
    if request.quiet_hours:
        read_quiet_hours(request.quiet_hours)
    to = _read_number("phone_number", request.to, request, regions)
    composed = replace(request, to=to, then_to=_read_others(to, request, regions))
    said = filled_in(composed, datetime.now(UTC))
    if request.channel == "call":
        check_call(said, said.message)
    if request.channel == "text":
        _with_question("A text", said.message, request)
    if request.then_text:
        _with_question("The text that follows the call", said.message, request)
    if request.voicemail:
        write_voicemail(said)
    return composed


def notes(request: AlertRequest, regions: Regions) -> list[str]:
    """Say what Twilio may refuse in a request, or what makes it cost too much: a sentence each.

    The request must be one that `compose` accepts.
    """
    numbers = [read_number(each, regions) for each in (request.to, *request.then_to)]
    said = [f"{each.international}: {each.warning}" for each in numbers if each.warning]
    if request.channel == "call":
        said.append(voice_note(request.voice, request.language))
    if request.channel == "text" or request.then_text:
        said.append(savings(words_of_text(request, datetime.now(UTC))))
    return [each for each in said if each]


def filled_in(request: AlertRequest, moment: datetime) -> AlertRequest:
    """Return the request with the words that are spoken or texted at `moment` in its messages.

    The same request and moment always make the same words. Raises `UnusableInput`.
    """
    message = write_message(request, moment)
    voicemail = _write_for_voicemail(request, moment) if request.voicemail else ""
    return replace(request, message=message, voicemail=voicemail, template=False)


def words_of_text(request: AlertRequest, moment: datetime) -> str:
    """Return the words of a text made at `moment`, with the question for a reply if it asks.

    Raises `UnusableInput`.
    """
    return _with_question("A text", write_message(request, moment), request)


def _with_question(what: str, text: str, request: AlertRequest) -> str:
    """Return the words of a text; raises `UnusableInput` if they are too long."""
    if request.acknowledge:
        # The question is a sentence of its own.
        stop = "." if text[-1:].isalnum() else ""
        text = f"{text}{stop} {key_press_words(request.language).reply}"
    _check_length("message", what, text, MOST_TEXT_CHARACTERS)
    return text


def write_message(request: AlertRequest, moment: datetime | None = None) -> str:
    """Return the message with its variables filled in as of `moment`, or of now.

    Raises `UnusableInput`.
    """
    check_lengths(request)
    text = _fill_in(request, moment) if request.template else request.message.strip()
    if not text:
        raise UnusableInput("message", "Write a message.")
    if not is_whole(text):
        raise UnusableInput(
            "message", "The message holds a broken character, perhaps half an emoji: delete it."
        )
    if request.channel == "text":
        _check_length("message", "A text", text, MOST_TEXT_CHARACTERS)
    return text


def said(alert: Alert) -> str:
    """Return the words of an alert's present try, or what they would be now if it isn't sent."""
    made = {Status.SENDING, Status.PLACED}
    events = [each for each in alert.events if each.try_number == alert.try_number]
    moments = [each.at for each in events if each.status in made] or [datetime.now(UTC)]
    try:
        return write_message(alert.request, moments[-1])
    except UnusableInput:
        return alert.message


def _fill_in(request: AlertRequest, moment: datetime | None) -> str:
    # Imported here because Jinja2 takes 25 ms, and the first page doesn't need it.
    from alerts.message.templates import UnknownVariable, render  # noqa: PLC0415

    if "{" not in request.message:
        return render(request.message, {})
    try:
        return render(request.message, variables_of(request, moment or datetime.now(UTC)))
    except UnknownVariable as problem:
        if problem.name == "name":
            raise UnusableInput("message", NO_NAME) from None
        raise


def variables_of(request: AlertRequest, moment: datetime) -> dict[str, str]:
    """Return what stands for each variable in the messages of a request at `moment`."""
    language = request.language if request.channel == "call" else "en-US"
    there = in_time_zone(moment, request.time_zone)
    known = {
        "now": spoken_now(there, language),
        "today": spoken_today(there, language),
        "user": request.user or "someone",
    }
    named = {"name": request.name} if request.name else {}
    return {**named, **known, **request.variables}


def _write_for_voicemail(request: AlertRequest, moment: datetime) -> str:
    try:
        return write_message(replace(request, message=request.voicemail), moment)
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
            dialed = _read_number("then_to", number, request, regions)
        except UnusableInput as problem:
            shown = shortened(number)
            words = f"{shown}: {problem}" if shown else str(problem)
            raise UnusableInput("then_to", words) from None
        if dialed in known:
            raise UnusableInput("then_to", f"{shortened(number)} is there twice. Name it once.")
        known.append(dialed)
    return tuple(known[1:])


def _read_number(field: str, text: str, request: AlertRequest, regions: Regions) -> str:
    """Return a number as in `PhoneNumber.dialed`; only calls can have an extension."""
    number = read_number(text, regions)
    if number.extension:
        refuse_extension(field, number, request.channel)
        if request.then_text:
            raise UnusableInput(
                "then_text",
                "A text can't go to an extension: don't send one after the call, or leave out "
                f"{keys_of(number.extension)}.",
            )
    return number.dialed


def refuse_extension(field: str, number: PhoneNumber, channel: Channel) -> None:
    """Raise `UnusableInput` about `field` for a text to an extension."""
    if number.extension and channel == "text":
        keys = keys_of(number.extension)
        raise UnusableInput(
            field, f"A text can't go to an extension: leave out {keys}, or call instead."
        )


def _check_channel(request: AlertRequest) -> None:
    if request.channel not in ("call", "text"):
        raise UnusableInput("channel", f"{request.channel!r} is neither call nor text.")
    if request.channel == "call":
        return
    for field, chosen, sentence in (
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


def _check_hold(request: AlertRequest) -> None:
    if not 0 <= request.hold_seconds <= MOST_HOLD_SECONDS:
        raise UnusableInput("hold_seconds", f"Hold it back for 0 to {MOST_HOLD_SECONDS} seconds.")


def _check_length(field: str, what: str, text: str, most: int) -> None:
    if len(text) > most:
        raise UnusableInput(
            field, f"{what} holds {most:,} characters at most; this one has {len(text):,}."
        )
