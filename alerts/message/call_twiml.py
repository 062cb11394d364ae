"""What a call says, as TwiML: the message, the question for a key press, or the voicemail message.

https://www.twilio.com/docs/voice/twiml
"""

from __future__ import annotations

from alerts.alert import AlertRequest
from alerts.errors import UnusableInput
from alerts.message.languages import check_voice, key_press_words
from twiml import Gather, Hangup, Pause, Response, Say, TwimlError

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
    document is only a preview. Raises `UnusableInput` if the text is too long; see `check_call`.
    """
    message = _message(request, text)
    if request.acknowledge:
        return Response(_asking(key_press_url or PREVIEW_KEY_PRESS_URL, message))
    silence = [Pause(_silence_after(request, text))] if request.voicemail else []
    return Response(message, *silence)


def check_call(request: AlertRequest, text: str) -> None:
    """Raise `UnusableInput` if a call can't speak `text` as the request asks.

    A request is checked before it is saved, so that nothing can be wrong with it when it is due.
    """
    check_voice(request.voice, request.language)
    if request.repeat < 0:
        raise UnusableInput(
            "repeat", "Say the message once or more, or 0 times to repeat it until they hang up."
        )
    _message(request, text)


def write_second_question(request: AlertRequest, key_press_url: str) -> Response:
    """Write the answer to a key other than 1: ask for 1, then say the message again.

    Here and below the messages of `request` are filled in.
    """
    first = _say("message", key_press_words(request.language).again, request)
    return Response(_asking(key_press_url, first, _message(request, request.message)))


def write_thanks(request: AlertRequest) -> Response:
    """Write the answer to a 1: thanks and goodbye."""
    return Response(_say("message", key_press_words(request.language).thanks, request))


def write_goodbye() -> Response:
    """Write the answer that ends the call."""
    return Response(Hangup())


def write_voicemail(request: AlertRequest) -> Response:
    """Write the short message for an answering machine, said once. Raises `UnusableInput`."""
    return Response(_say("voicemail", request.voicemail, request))


def _silence_after(request: AlertRequest, text: str) -> int:
    """Seconds of silence after the message, so that the call lasts until a machine is detected."""
    spoken = len(text) / SPOKEN_CHARACTERS_PER_SECOND * request.repeat
    return max(1, round(MACHINE_DETECTION_SECONDS - spoken))


def _message(request: AlertRequest, text: str) -> Say:
    """Say the text, and the question for a key press if the request asks it."""
    if request.acknowledge:
        # A period makes the voice pause before the question.
        stop = "." if text[-1:].isalnum() else ""
        text = f"{text}{stop} {key_press_words(request.language).ask}"
    return _say("message", text, request, request.repeat)


def _asking(key_press_url: str, *said: Say) -> Gather:
    return Gather(
        *said,
        action=key_press_url,
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
