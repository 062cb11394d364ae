"""The status callbacks of one call.

https://www.twilio.com/docs/voice/api/call-resource#statuscallback
"""

from __future__ import annotations

import math
from email.utils import format_datetime

from simulator.callbacks import Callbacks
from simulator.models.call import Call, Happening, request_parameters
from simulator.models.webhooks import CALL_EVENTS

_SIP_CODES = {"completed": 200, "busy": 486, "no-answer": 487, "canceled": 487, "failed": 404}


class CallProgress:
    """An observer of a call that tells its status callback of the events that were asked for."""

    def __init__(self, callbacks: Callbacks) -> None:
        self._callbacks = callbacks
        self._told = 0

    def __call__(self, call: Call, happening: Happening) -> None:
        """Send a callback if `happening` is one of the call's events."""
        request = call.request
        if request.status_callback is None or happening not in CALL_EVENTS:
            return
        if happening in request.status_events:
            self._callbacks.send(call, request.status_callback, self._parameters(call, happening))
            self._told += 1

    def _parameters(self, call: Call, happening: Happening) -> list[tuple[str, str]]:
        parameters = dict(request_parameters(call))
        if happening == "initiated":
            parameters["CallStatus"] = "initiated"
        parameters |= {
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(self._told),
            "Timestamp": format_datetime(call.date_updated),
        }
        if happening == "completed":
            parameters["SipResponseCode"] = str(_SIP_CODES[call.status])
            if call.status == "completed":
                seconds = call.duration or 0
                parameters["CallDuration"] = str(seconds)
                parameters["Duration"] = str(max(math.ceil(seconds / 60), 1))
        return list(parameters.items())
