"""What Twilio tells a customer's server about a call.

https://www.twilio.com/docs/voice/twiml#request-parameters
"""

from __future__ import annotations

from simulator.models.call import Call


def request_parameters(call: Call) -> list[tuple[str, str]]:
    """The parameters of every request that is about `call`."""
    parameters = [
        ("CallSid", call.sid),
        ("AccountSid", call.account_sid),
        ("From", call.request.from_),
        ("To", call.request.to),
        ("Caller", call.request.from_),
        ("Called", call.request.to),
        ("CallStatus", call.status),
        ("ApiVersion", "2010-04-01"),
        ("Direction", call.direction),
    ]
    if call.parent_sid is not None:
        parameters.append(("ParentCallSid", call.parent_sid))
    if call.answered_by is not None:
        parameters.append(("AnsweredBy", call.answered_by))
    if call.detection_seconds is not None:
        milliseconds = round(call.detection_seconds * 1000)
        parameters.append(("MachineDetectionDuration", str(milliseconds)))
    return parameters
