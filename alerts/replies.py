"""Replies: the texts that come in, what they mean, and looking for them at Twilio.

With `PUBLIC_URL` Twilio passes incoming texts on to this app. As long as an open alert waits for a
reply, the list of texts is read too, in case the number's webhook isn't set, or a request of
Twilio's got lost.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
import unicodedata
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from database import NewerDatabase
from twilio_client import Message, TwilioError

if TYPE_CHECKING:
    from alerts.history import History
    from alerts.services import Services

log = logging.getLogger(__name__)

# How often the database is asked whether any reply is awaited.
SECONDS_BETWEEN_CHECKS = 2.0
# The list is read this often right after a text was sent, and less and less often as time passes.
FIRST_INTERVAL_SECONDS = 3.0
FIRST_INTERVAL_WITH_CALLBACKS_SECONDS = 30.0
LONGEST_INTERVAL_SECONDS = 60.0
# An interval is this part of the time that has passed since the last text.
PART_OF_AGE = 0.1
MOST_TEXTS_READ = 200
PAGE_ROWS = 50
# A messaging service texts from several numbers, so its replies are read for each recipient.
MOST_RECIPIENTS_READ = 20
# Twilio's clock and ours differ a little, and its list needn't be exactly in order.
LIST_TIME_MARGIN = timedelta(minutes=2)

# How the note of an incoming text begins.
REPLIED = "Replied"
MOST_QUOTED_CHARACTERS = 300

# The words that Twilio acts on by default, before it passes the text on.
# https://help.twilio.com/articles/223134027
STOP_WORDS = frozenset(
    {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"}
)
START_WORDS = frozenset({"start", "yes", "unstop"})


def _words(body: str) -> list[str]:
    """Return the words of a text in lower case, without punctuation and a thumb's skin tone."""
    plain = unicodedata.normalize("NFKC", body).casefold().replace("’", "'").replace("\ufe0f", "")
    return "".join(each if _is_of_word(each) else " " for each in plain).split()


def _is_of_word(character: str) -> bool:
    # Pictures (So) are words of their own; marks (M) join the letter before them.
    is_joined = unicodedata.category(character) in {"So", "Mn", "Mc"}
    return character == "'" or character.isalnum() or is_joined


# A text confirms if it has no other words than these, in any of the languages that calls speak.
CONFIRMING_WORDS = frozenset(
    _words(
        """
        1 ok okay okey y yes yep yeah confirm confirmed received roger 👍 ✅ ✔
        sí si vale confirmo oui confirme d'accord ja jawohl bestätigt sì confermo sim
        bevestigd bekræftet bekreftet bekräftat kyllä joo ano potvrzuji tak potwierdzam da
        да подтверждаю evet tamam onaylıyorum हाँ हां जी はい 了解 了解です 承知しました
        是 是的 好 好的 收到 确认 確認 네 예 확인
        """
    )
)


class ReplyKind(StrEnum):
    """What an incoming text means to us."""

    CONFIRMS = "confirms"
    STOP = "stop"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class IncomingText:
    """A text that came in at one of the account's numbers. Numbers are E.164.

    `at` is by this machine's clock, `listed_at` by Twilio's, None if it has come in just now.
    """

    sid: str
    from_: str
    to: str
    body: str
    at: datetime
    listed_at: datetime | None = None


def kind_of(body: str) -> ReplyKind:
    """Return what a text means. Only words we know confirm: "no", "ok?" and "ok, but" never do."""
    words = _words(body)
    if len(words) == 1 and words[0] in STOP_WORDS:
        return ReplyKind.STOP
    is_question = "?" in body or "？" in body
    if words and not is_question and all(word in CONFIRMING_WORDS for word in words):
        return ReplyKind.CONFIRMS
    return ReplyKind.OTHER


def starts_again(body: str) -> bool:
    """Whether the sender of this text wants texts again, after a STOP."""
    words = _words(body)
    return len(words) == 1 and words[0] in START_WORDS


def note_of(body: str) -> str:
    """Return the note of an incoming text, with what it says: `Replied "ok"`."""
    said = " ".join("".join(c if c.isprintable() else " " for c in body).split())
    if len(said) > MOST_QUOTED_CHARACTERS:
        said = f"{said[: MOST_QUOTED_CHARACTERS - 1]}…"
    if not said:
        return f"{REPLIED} without words"
    stopped = ": no more texts can be sent" if kind_of(body) is ReplyKind.STOP else ""
    return f"{REPLIED} “{said}”{stopped}"


class ReplyPoller:
    """Reads incoming texts from Twilio's list while replies are awaited."""

    def __init__(self, services: Services, history: History) -> None:
        self._services = services
        self._history = history
        self._last_look = -math.inf
        self._is_refused = False

    async def run(self) -> None:
        """Look for replies again and again, until the task is canceled."""
        while True:
            try:
                awaited = await self._history.awaited_replies()
                if awaited and self._is_time(max(awaited.values())):
                    # Not the date: a clock that was set back must not keep the next look away.
                    self._last_look = time.monotonic()
                    await self.look(awaited)
                    self._is_refused = False
            except TwilioError as problem:
                if not self._is_refused:
                    log.warning("Incoming texts can't be read: %s", problem)
                self._is_refused = True
            except NewerDatabase:
                return
            except Exception:
                log.exception("Looking for replies failed; trying again in a moment")
            await asyncio.sleep(SECONDS_BETWEEN_CHECKS)

    async def look(self, awaited: Mapping[str, datetime]) -> None:
        """Save the incoming texts of these numbers since each was texted. Raises `TwilioError`."""
        found = [text async for text in self._incoming(awaited)]
        new = await self._history.unknown_texts([text.sid for text in found]) if found else set()
        # Oldest first, as they were written.
        for text in reversed(found):
            if text.sid in new:
                await self._history.receive(text)

    def _is_time(self, last_text: datetime) -> bool:
        first = FIRST_INTERVAL_SECONDS
        if self._services.callbacks is not None:
            first = FIRST_INTERVAL_WITH_CALLBACKS_SECONDS
        age = (datetime.now(UTC) - last_text).total_seconds()
        wait = min(max(first, age * PART_OF_AGE), LONGEST_INTERVAL_SECONDS)
        return time.monotonic() - self._last_look >= wait

    async def _incoming(self, awaited: Mapping[str, datetime]) -> AsyncIterator[IncomingText]:
        offset = self._services.twilio.clock_offset
        oldest = min(awaited.values()) - LIST_TIME_MARGIN
        for rows in self._lists(awaited):
            async for row in rows:
                # By Twilio's clock, as the times at which the numbers were texted.
                at = row.date_created or datetime.now(UTC) + offset
                if at < oldest:
                    break
                from_ = row.from_ or ""
                if row.direction == "inbound" and from_ in awaited:
                    body, to = row.body or "", row.to or ""
                    yield IncomingText(row.sid, from_, to, body, at - offset, at)

    def _lists(self, awaited: Mapping[str, datetime]) -> list[AsyncIterator[Message]]:
        twilio = self._services.twilio
        if self._services.messaging_service_sid is None:
            to = self._services.from_number
            return [twilio.list_messages(to=to, page_size=PAGE_ROWS, limit=MOST_TEXTS_READ)]
        newest = sorted(awaited, key=lambda number: awaited[number], reverse=True)
        return [
            twilio.list_messages(from_=number, limit=MOST_RECIPIENTS_READ)
            for number in newest[:MOST_RECIPIENTS_READ]
        ]
