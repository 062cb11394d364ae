"""How a text goes on in time: accepted, queued, sending, sent, and delivered or not."""

from __future__ import annotations

from simulator.models.message import Message
from simulator.models.people import person_at

STEP_SECONDS = 0.3
DELIVERY_SECONDS = 1
QUEUE_OVERFLOW = 30001


async def send(message: Message, own_number: str) -> None:
    """Take a new text to its end; `own_number` is what a Messaging Service chooses."""
    clock = message.clock
    if message.request.send_at is not None:
        # So many simulated seconds as there are real ones until then.
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
