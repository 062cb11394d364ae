"""Twilio's REST API (https://www.twilio.com/docs/usage/api): calls, texts, numbers, the account.

    async with TwilioClient("AC…", "the auth token") as client:
        call = await client.create_call(to="+15558675310", from_="+15017122661", url="https://…")

A request that fails raises a `TwilioError`; its class says whether it may have gone through.
`sign` and `is_signed` make and check the signature of a request from Twilio. `network_transport`
is for other requests that should go the same way as those to Twilio.
"""

from twilio_client.client import TwilioClient
from twilio_client.connections import network_transport
from twilio_client.errors import (
    TwilioError,
    TwilioRateLimited,
    TwilioRefused,
    TwilioUncertain,
    TwilioUnreachable,
)
from twilio_client.hints import hint_for
from twilio_client.resources import (
    Account,
    Balance,
    Call,
    IncomingPhoneNumber,
    Message,
    MessagingService,
    OutgoingCallerId,
)
from twilio_client.signatures import is_signed, sign

__all__ = [
    "Account",
    "Balance",
    "Call",
    "IncomingPhoneNumber",
    "Message",
    "MessagingService",
    "OutgoingCallerId",
    "TwilioClient",
    "TwilioError",
    "TwilioRateLimited",
    "TwilioRefused",
    "TwilioUncertain",
    "TwilioUnreachable",
    "hint_for",
    "is_signed",
    "network_transport",
    "sign",
]
