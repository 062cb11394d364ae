"""Ending a call that is under way."""

from __future__ import annotations

from twilio_client import Call, TwilioClient, TwilioRefused


async def end_call(twilio: TwilioClient, sid: str) -> Call | None:
    """Hang up, or keep it from being dialled; gives the call, or None if it was over already.

    Raises `TwilioError` if it has to be tried again.
    https://www.twilio.com/docs/voice/api/call-resource#update-a-call-resource
    """
    try:
        return await twilio.update_call(sid, status="completed")
    except TwilioRefused:
        return None
