"""The status callbacks of one text.

https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
"""

from __future__ import annotations

from simulator.callbacks import Callbacks
from simulator.models.message import Message


class MessageProgress:
    """An observer of a text that tells its status callback of each status after the first."""

    def __init__(self, callbacks: Callbacks) -> None:
        self._callbacks = callbacks

    def __call__(self, message: Message) -> None:
        """Send a callback about the status that `message` has now."""
        callback = message.request.status_callback
        if callback is not None:
            self._callbacks.send(message, callback, _parameters(message))


def _parameters(message: Message) -> list[tuple[str, str]]:
    parameters = [
        ("MessageSid", message.sid),
        ("MessageStatus", message.status),
        ("SmsSid", message.sid),
        ("SmsStatus", message.status),
        ("AccountSid", message.account_sid),
        ("From", message.from_ or ""),
        ("To", message.request.to),
        ("ApiVersion", "2010-04-01"),
    ]
    if message.request.messaging_service_sid is not None:
        parameters.append(("MessagingServiceSid", message.request.messaging_service_sid))
    if message.error_code is not None:
        parameters.append(("ErrorCode", str(message.error_code)))
    return parameters
