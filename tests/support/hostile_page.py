"""A page that sends whatever it likes over a real session, and what the app says to it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

BUTTON = "send-send_test_call:bslib.taskbutton"
OUTPUTS = (
    "acknowledge_line",
    "actions",
    "announcement",
    "caller",
    "hearers",
    "in_short",
    "length",
    "message_feedback_line",
    "progress",
    "reaching_summary",
    "recipients",
    "send_label",
    "send_refusal",
    "sent_before",
    "then_to_feedback_line",
    "twiml_preview",
    "words",
)
# The inputs of the Send page and the handset as a browser sends them. 911 is never called.
INPUTS: dict[str, Any] = {
    BUTTON: {"value": 0, "autoReset": True},
    "page": "send",
    "send-channel": "call",
    "send-phone_number": "911",
    "send-message": "Batch 1407 is off.",
    "send-voice": "alice",
    "send-language": "en-GB",
    "send-repeat": "3",
    "send-acknowledge": False,
    "send-voicemail": "",
    "send-tries": "1",
    "send-minutes_between_tries:shiny.number": 5,
    "send-then_text": False,
    "send-then_to": "",
    "send-quiet_hours": False,
    "send-time_zone": "America/New_York",
    ".clientdata_url_search": "",
    ".clientdata_pixelratio": 1,
    ".clientdata_singletons": "",
    **{f".clientdata_output_send-{name}_hidden": False for name in OUTPUTS},
}

# What no page sends as the value of an input.
TOO_LONG = "9" * 30_000
WRONG: list[object] = [
    None,
    True,
    5,
    -1,
    10**400,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "\ud800",
    "\x00",
    "9" * 5_000,
    TOO_LONG,
    " " * 20_000,
    "{{" * 5_000,
    "4128574309\n" * 1_800,
    "abc," * 1_800,
    [],
    ["911"],
    [[[1]]],
    {},
    {"value": 1},
    {"key": []},
]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=50),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(), parts, max_size=3),
    max_leaves=5,
)


class HostilePage:
    """One session. `shown` holds what the page would show, by output."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._presses = 0
        self.shown: dict[str, Any] = {}

    def send(self, inputs: Mapping[str, object], method: str = "update") -> None:
        """Send inputs by their ids."""
        self.send_raw(json.dumps({"method": method, "data": inputs}))

    def send_raw(self, message: str | bytes) -> None:
        """Send any message."""
        self._socket.send(message)

    def press(self) -> str:
        """Press the button and return the sentence above it. 911 is refused in any case."""
        self._presses += 1
        self.send({BUTTON: {"value": self._presses, "autoReset": True}})
        self.until("callboard-focus")
        self.until('"inputMessages"')
        return str(self.shown.get("send-send_refusal", ""))

    def until(self, words: str) -> str:
        """Receive messages up to one that holds the words; it is returned."""
        while True:
            message = str(self._socket.recv(timeout=30))
            self.shown |= json.loads(message).get("values", {})
            errors = json.loads(message).get("errors", {})
            assert not [each for each in errors.values() if each["message"]], message
            if words in message:
                return message

    def answer(self) -> Any:
        """Receive the answer to a message that asks for one, such as that a file will come."""
        return json.loads(self.until('"response"'))["response"]["value"]

    def ended(self) -> int | None:
        """Receive until the app ends the session; the code that it closed with."""
        with suppress(ConnectionClosed):
            while True:
                self._socket.recv(timeout=30)
        return self._socket.close_code


@contextmanager
def hostile_page(url: str, inputs: Mapping[str, object] | None = None) -> Iterator[HostilePage]:
    """Open a session of the app at `url`; with `inputs` it begins with the page's and these."""
    address = f"ws://{urlsplit(url).netloc}/websocket/"
    # Without a limit: unread messages would keep it from seeing that the app closes.
    with connect(address, max_size=None, max_queue=None) as socket:
        page = HostilePage(socket)
        page.until("sessionId")
        if inputs is not None:
            page.send({**INPUTS, **inputs}, "init")
            page.until('"inputMessages"')
        yield page
