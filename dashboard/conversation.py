"""The texts between Callboard and the phone of one visitor."""

from __future__ import annotations

from alerts import Alert
from alerts.phone_numbers import international
from simulator import Exchange

LONGEST_REPLY = 1_600


class Conversation:
    """What this visitor texted, and what came back; other visitors' texts stay theirs."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._sids: list[str] = []
        self._last: Alert | None = None

    def take(self, text: Alert) -> None:
        """A text that the visitor sent; a refused one doesn't show but can be answered (START)."""
        self._last = text
        if text.sid and text.sid not in self._sids:
            self._sids.append(text.sid)

    def reply(self, body: str) -> None:
        """Answer the last text, as the person who got it; an answer to that shows as well."""
        if self._last is None or not body.strip():
            return
        person, callboard = self._last.to, self._last.from_
        before = {text.sid for text in self._exchange.texts_of(person)}
        self._exchange.receive_text(person, callboard, body[:LONGEST_REPLY])
        after = self._exchange.texts_of(person)
        self._sids += [text.sid for text in after if text.sid not in before]

    def shown(self) -> list[dict[str, object]]:
        """The texts in order, for the browser; one that never arrived isn't on the phone.

        Each has its words, the person's number, and whether it came from Callboard.
        """
        messages = self._exchange.messages
        texts = [messages[sid] for sid in self._sids if sid in messages]
        return [
            {
                "body": text.request.body,
                "theirs": text.direction != "inbound",
                "number": international(
                    str(text.from_) if text.direction == "inbound" else text.request.to
                ),
            }
            for text in texts
            if text.direction != "outbound-api" or text.status == "delivered"
        ]
