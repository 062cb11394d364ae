"""One request to Twilio: a call or a text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from alerts.keeping import attempts
from alerts.keeping.attempts import Attempt
from alerts.steps.courier import Courier
from storage import Instructions
from twilio_client.calls import CallEvent

# https://www.twilio.com/docs/voice/api/call-resource#statuscallbackevent
CALL_EVENTS: tuple[CallEvent, ...] = ("initiated", "ringing", "answered", "completed")


# As long as a request may take from being written down to being made without a second thought.
FRESH = timedelta(seconds=3)


class Superseded(Exception):
    """Another process has looked after the request, while this one stood still."""


async def ask_twilio(courier: Courier, request: Attempt, instructions: Instructions | None) -> str:
    """Ask for the call that `instructions` speak to, or for a text; gives the SID.

    Raises `TwilioError`, which says whether the request may have gone through, and `Superseded`.
    """
    async with courier.requests:
        await _see_that_it_is_ours(courier, request)
        if request.channel == "text":
            return await _text(courier, request)
        if instructions is None:
            raise RuntimeError("A call has something to say.")
        return await _call(courier, request, instructions)


async def _see_that_it_is_ours(courier: Courier, request: Attempt) -> None:
    # By the date, which goes on while a machine sleeps.
    age = datetime.now(UTC) + courier.means.twilio.clock_offset - request.at
    if age > FRESH and await courier.history.read(
        lambda connection: attempts.is_settled(connection, request.id)
    ):
        raise Superseded


async def _call(courier: Courier, request: Attempt, instructions: Instructions) -> str:
    means, alert = courier.means, await courier.alert(request.alert_id)
    callback = _callback(courier, request)
    detect = bool(alert.request.voicemail)
    call = await means.twilio.create_call(
        to=request.to,
        from_=means.from_number,
        url=instructions.url,
        twiml=instructions.twiml,
        status_callback=callback,
        status_callback_event=CALL_EVENTS if callback else (),
        # Until the beep, but while the message is spoken: people needn't wait for the verdict.
        machine_detection="DetectMessageEnd" if detect else None,
        async_amd=detect,
        async_amd_status_callback=callback if detect else None,
    )
    return call.sid


async def _text(courier: Courier, request: Attempt) -> str:
    means, alert = courier.means, await courier.alert(request.alert_id)
    service = means.messaging_service_sid
    message = await means.twilio.create_message(
        to=request.to,
        body=alert.message,
        from_=None if service else means.from_number,
        messaging_service_sid=service,
        status_callback=_callback(courier, request),
    )
    return message.sid


def _callback(courier: Courier, request: Attempt) -> str | None:
    """Where Twilio is to tell what becomes of it, if it can."""
    callbacks = courier.means.callbacks
    return callbacks.status(request.alert_id, request.try_number) if callbacks else None
