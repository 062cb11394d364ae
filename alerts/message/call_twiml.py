"""The TwiML of a call: the message, the key press that it may ask for, and the words for voicemail.

https://www.twilio.com/docs/voice/twiml
"""

from __future__ import annotations

from alerts.alert import AlertRequest
from alerts.errors import UnusableInput
from alerts.message.languages import LANGUAGE_NAMES, key_press_words, voices_for
from twiml import Gather, Pause, Response, Say, TwimlError

# In the preview, of an alert that nobody has sent yet.
PREVIEW_KEY_PRESS_URL = "/twilio/gather"
SECONDS_FOR_A_KEY = 10
# How long a machine's greeting is listened to until its beep: Twilio's own default,
# https://www.twilio.com/docs/voice/answering-machine-detection
SECONDS_FOR_A_VERDICT = 30
CHARACTERS_A_SECOND = 14


def write_document(request: AlertRequest, text: str, key_press_url: str | None = None) -> Response:
    """The TwiML that speaks `text` in the chosen voice, as often as asked.

    Where the request asks for a key press, it goes to `key_press_url`; without one the document is
    for people to read. Raises `UnusableInput`.
    """
    check_language(request.language)
    if request.repeat < 0:
        raise UnusableInput(
            "repeat", "A call says its message once or more, or 0: until they hang up."
        )
    if request.acknowledge:
        return Response(_ask(request, text, key_press_url))
    message = _say("message", text, request, request.repeat)
    silence = [Pause(_silence_after(request, text))] if request.voicemail else []
    return Response(message, *silence)


def write_again(request: AlertRequest, key_press_url: str) -> Response:
    """After a key other than 1: ask for it, and begin again with the message.

    `request` is settled, as in an `Alert`; in the other functions below too.
    """
    first = _say("message", key_press_words(request.language).again, request)
    return Response(_ask(request, request.message, key_press_url, first))


def write_thanks(request: AlertRequest) -> Response:
    """After a 1."""
    return Response(_say("message", key_press_words(request.language).thanks, request))


def write_voicemail(request: AlertRequest) -> Response:
    """The short message, once, for a machine that answered. Raises `UnusableInput`."""
    return Response(_say("voicemail", request.voicemail, request))


def check_language(code: str) -> None:
    """Raise `UnusableInput` for a language that nobody here speaks."""
    if code not in LANGUAGE_NAMES:
        raise UnusableInput("language", f"{code!r} is not a language that Callboard has.")


def _silence_after(request: AlertRequest, text: str) -> int:
    """Seconds to hold the line after the message: a call that is over can't be told a machine's."""
    spoken = len(text) / CHARACTERS_A_SECOND * request.repeat
    return max(1, round(SECONDS_FOR_A_VERDICT - spoken))


def _ask(request: AlertRequest, text: str, key_press_url: str | None, *first: Say) -> Gather:
    # A voice pauses after a full stop.
    stop = "." if text[-1:].isalnum() else ""
    words = f"{text}{stop} {key_press_words(request.language).ask}"
    return Gather(
        *first,
        _say("message", words, request, request.repeat),
        action=key_press_url or PREVIEW_KEY_PRESS_URL,
        method="POST",
        timeout=SECONDS_FOR_A_KEY,
        num_digits=1,
    )


def _say(field: str, text: str, request: AlertRequest, repeat: int | None = None) -> Say:
    """Words in the chosen voice; raises `UnusableInput` about `field` if they are too long."""
    if request.voice not in voices_for(request.language):
        raise UnusableInput(
            "voice",
            f"The voice {request.voice!r} doesn't speak {LANGUAGE_NAMES[request.language]}. "
            f"Choose one of {', '.join(voices_for(request.language))}.",
        )
    try:
        return Say(text, voice=request.voice, language=request.language, loop=repeat)
    except TwimlError as problem:
        raise UnusableInput(field, str(problem)) from None
