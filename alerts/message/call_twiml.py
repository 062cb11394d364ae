"""The TwiML of a call: the message, the question for a key press, and the voicemail message.

https://www.twilio.com/docs/voice/twiml
"""

from __future__ import annotations

from alerts.alert import AlertRequest
from alerts.errors import UnusableInput
from alerts.message.languages import check_voice, key_press_words
from twiml import Gather, Pause, Response, Say, TwimlError

# Shown in the preview: only an alert that was sent has an address of its own.
PREVIEW_KEY_PRESS_URL = "/twilio/gather"
KEY_PRESS_TIMEOUT_SECONDS = 10
# How long Twilio listens to a machine's greeting until its beep, by default.
# https://www.twilio.com/docs/voice/answering-machine-detection
MACHINE_DETECTION_SECONDS = 30
SPOKEN_CHARACTERS_PER_SECOND = 14


def write_document(request: AlertRequest, text: str, key_press_url: str | None = None) -> Response:
    """Write the TwiML that speaks `text` in the chosen voice, `request.repeat` times.

    If the request asks for a key press, Twilio reports it to `key_press_url`; without one the
    document is only a preview. Raises `UnusableInput`.
    """
    check_voice(request.voice, request.language)
    if request.repeat < 0:
        raise UnusableInput(
            "repeat", "Say the message once or more, or 0 times to repeat it until they hang up."
        )
    if request.acknowledge:
        return Response(_ask(request, text, key_press_url))
    message = _say("message", text, request, request.repeat)
    silence = [Pause(_silence_after(request, text))] if request.voicemail else []
    return Response(message, *silence)


def write_second_question(request: AlertRequest, key_press_url: str) -> Response:
    """Write the answer to a key other than 1: ask for 1, then say the message again.

    Here and below the messages of `request` are filled in.
    """
    first = _say("message", key_press_words(request.language).again, request)
    return Response(_ask(request, request.message, key_press_url, first))


def write_thanks(request: AlertRequest) -> Response:
    """Write the answer to a 1: thanks and goodbye."""
    return Response(_say("message", key_press_words(request.language).thanks, request))


def write_voicemail(request: AlertRequest) -> Response:
    """Write the short message for an answering machine, said once. Raises `UnusableInput`."""
    check_voice(request.voice, request.language)
    return Response(_say("voicemail", request.voicemail, request))


def _silence_after(request: AlertRequest, text: str) -> int:
    """Seconds of silence after the message, so that the call lasts until a machine is detected."""
    spoken = len(text) / SPOKEN_CHARACTERS_PER_SECOND * request.repeat
    return max(1, round(MACHINE_DETECTION_SECONDS - spoken))


def _ask(request: AlertRequest, text: str, key_press_url: str | None, *first: Say) -> Gather:
    # A period makes the voice pause before the question.
    stop = "." if text[-1:].isalnum() else ""
    words = f"{text}{stop} {key_press_words(request.language).ask}"
    return Gather(
        *first,
        _say("message", words, request, request.repeat),
        action=key_press_url or PREVIEW_KEY_PRESS_URL,
        method="POST",
        timeout=KEY_PRESS_TIMEOUT_SECONDS,
        num_digits=1,
    )


def _say(field: str, text: str, request: AlertRequest, repeat: int | None = None) -> Say:
    """Say `text` in the chosen voice; raises `UnusableInput` about `field` if it is too long."""
    try:
        return Say(text, voice=request.voice, language=request.language, loop=repeat)
    except TwimlError as problem:
        raise UnusableInput(field, str(problem)) from None
