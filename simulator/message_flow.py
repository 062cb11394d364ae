"""The course of a text in time: outgoing until it is delivered or not, incoming to its webhook."""

from __future__ import annotations

from simulator.errors import TwimlError
from simulator.http_client import WebhookClient
from simulator.models.message import Message
from simulator.models.people import person_at
from simulator.models.sids import API_VERSION
from simulator.models.webhooks import Instructions
from simulator.twiml.document import Verb, fetch_document

STEP_SECONDS = 0.3
DELIVERY_SECONDS = 1
QUEUE_OVERFLOW = 30001


async def run_message(message: Message, own_number: str) -> None:
    """Take an outgoing text to its end. A Messaging Service chooses `own_number` as sender."""
    clock = message.clock
    if message.request.send_at is not None:
        await clock.sleep((message.request.send_at - clock.now()).total_seconds())
        message.become("accepted")
    await clock.sleep(STEP_SECONDS)
    if message.from_ is None:
        message.queue(own_number)
        await clock.sleep(STEP_SECONDS)
    message.become("sending")
    await clock.sleep(STEP_SECONDS)
    error_code = person_at(message.request.to).text_error
    if error_code == QUEUE_OVERFLOW:
        message.become("failed", error_code)
        return
    message.send()
    await clock.sleep(DELIVERY_SECONDS)
    if error_code is None:
        message.become("delivered")
    else:
        message.become("undelivered", error_code)


async def fetch_replies(
    message: Message, webhook: Instructions, client: WebhookClient
) -> list[str]:
    """Report an incoming text to its number's webhook; return the texts to answer with.

    An error in the answer is noted in the text.
    https://www.twilio.com/docs/messaging/twiml#twilios-request-to-your-application
    """
    try:
        document = await fetch_document(
            client,
            message.account_sid,
            webhook.url or "",
            webhook.method,
            _incoming_parameters(message),
        )
    except TwimlError as error:
        message.warn(error.code, error.message)
        return []
    for verb in document.verbs:
        if verb.name not in {"Message", "Redirect"}:
            message.warn(12200, f"Schema validation warning: {verb.name} isn't a messaging verb.")
    texts = [_body(verb) for verb in document.verbs if verb.name == "Message"]
    return [text for text in texts if text]


def _body(verb: Verb) -> str:
    """Return the words of a `Message` verb: those in its `Body`, or else its own.

    https://www.twilio.com/docs/messaging/twiml/message
    """
    bodies = [child.text for child in verb.children if child.name == "Body"]
    return "".join(bodies) if bodies else verb.text


def _incoming_parameters(message: Message) -> list[tuple[str, str]]:
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
        ("NumSegments", str(message.segments)),
        ("ApiVersion", API_VERSION),
    ]
