"""Replies: the texts that come in, and what they mean."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

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
    """A text that came in at one of the account's numbers. Numbers are E.164."""

    sid: str
    from_: str
    to: str
    body: str
    at: datetime


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
