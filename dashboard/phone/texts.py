"""The texts between Callboard and the phone of one visitor."""

from __future__ import annotations

from alerts import Alert
from alerts.phone_numbers import international
from simulator import LazyApp, person_at

MAX_REPLY_CHARACTERS = 1_600


class TextThread:
    """What this visitor texted, and the replies; no other visitor sees them."""

    def __init__(self, simulator: LazyApp) -> None:
        self._simulator = simulator
        self._sids: list[str] = []
        self._last: Alert | None = None

    def add(self, text: Alert) -> None:
        """Add a text that the visitor sent.

        A text that Twilio refused isn't shown, but can be answered: START lifts a STOP.
        """
        self._last = text
        if text.sid and text.sid not in self._sids:
            self._sids.append(text.sid)
        if person_at(text.to).replies and text.sid in self._sids:
            self._sids += self._replies_to(text)

    def _replies_to(self, text: Alert) -> list[str]:
        """The texts that the simulated recipient wrote after this one."""
        texts = list(self._simulator.exchange.texts_of(text.to))
        sids = [each.sid for each in texts]
        after = texts[sids.index(text.sid) + 1 :] if text.sid in sids else []
        return [
            each.sid
            for each in after
            if each.direction != "outbound-api" and each.sid not in self._sids
        ]

    def reply(self, body: str) -> None:
        """Answer the last text as its recipient, and add what is answered to that."""
        body = body[:MAX_REPLY_CHARACTERS]
        if self._last is None or not body.strip():
            return
        person, callboard = self._last.to, self._last.from_
        before = {text.sid for text in self._simulator.exchange.texts_of(person)}
        self._simulator.exchange.receive_text(person, callboard, body)
        after = self._simulator.exchange.texts_of(person)
        self._sids += [text.sid for text in after if text.sid not in before]

    def shown(self) -> list[dict[str, object]]:
        """Return the texts for the browser, the oldest first, without those that never arrived.

        Each has its words (`body`), the other number, and whether it came from Callboard
        (`theirs`).
        """
        messages = self._simulator.exchange.messages
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
