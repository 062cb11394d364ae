"""Which callbacks a request asks for."""

from __future__ import annotations

from simulator.api.forms import Form
from simulator.callbacks import Callback
from simulator.errors import ApiError
from simulator.models.webhooks import is_web_address, read_method

CALL_EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
"""https://www.twilio.com/docs/voice/api/call-resource#statuscallbackevent"""


def read_callback(form: Form, name: str) -> Callback | None:
    """The address in the parameter `name` with the method in `{name}Method`. Raises ApiError."""
    method = read_method(form, f"{name}Method")
    url = form.get(name)
    if not url:
        return None
    if not is_web_address(url):
        raise ApiError(21609, f"The {name} URL {url} is not a valid URL.")
    return Callback(url, method)


def read_call_events(form: Form) -> frozenset[str]:
    """The call events to tell of; `completed` if none of Twilio's is named."""
    return call_events(" ".join(form.get_all("StatusCallbackEvent")))


def call_events(words: str) -> frozenset[str]:
    """The same from words with spaces between, as TwiML has them."""
    return CALL_EVENTS.intersection(words.split()) or frozenset({"completed"})
