"""A text that comes in: the number's webhook hears of it and may answer.

https://www.twilio.com/docs/messaging/twiml#twilios-request-to-your-application
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.errors import TwimlError
from simulator.models.message import Message, count_segments
from simulator.models.webhooks import Instructions

if TYPE_CHECKING:  # the exchange runs this function
    from simulator.exchange import Exchange


async def hand_in(message: Message, exchange: Exchange, webhook: Instructions) -> None:
    """Fetch the answer to `message` from the webhook, and send what it says."""
    if webhook.url is None:
        return
    try:
        document = await exchange.fetcher.fetch(
            message.account_sid, webhook.url, webhook.method, _parameters(message)
        )
    except TwimlError as error:
        message.warn(error.code, error.message)
        return
    for verb in document.verbs:
        if verb.name == "Message" and verb.text:
            exchange.answer_text(message, verb.text)
        elif verb.name not in {"Message", "Redirect"}:
            message.warn(12200, f"Schema validation warning: {verb.name} isn't a messaging verb.")


def _parameters(message: Message) -> list[tuple[str, str]]:
    return [
        ("MessageSid", message.sid),
        ("SmsSid", message.sid),
        ("SmsMessageSid", message.sid),
        ("SmsStatus", "received"),
        ("AccountSid", message.account_sid),
        ("From", message.from_ or ""),
        ("To", message.request.to),
        ("Body", message.body),
        ("NumMedia", "0"),
        ("NumSegments", str(count_segments(message.body))),
        ("ApiVersion", "2010-04-01"),
    ]
