"""The people at the other end: who has which number, and which of them take texts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

LONGEST_LISTENING_SECONDS = 600
"""How long a callee listens before hanging up."""

STOP_WORDS = frozenset(
    {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}
)
START_WORDS = frozenset({"START", "YES", "UNSTOP"})
HELP_WORDS = frozenset({"HELP", "INFO"})

STOPPED = (
    "You have successfully been unsubscribed. You will not receive any more messages from this "
    "number. Reply START to resubscribe."
)
STARTED = (
    "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
    "Reply STOP to unsubscribe. Msg&Data Rates May Apply."
)
HELP = "Reply STOP to unsubscribe. Msg&Data Rates May Apply."


@dataclass(frozen=True)
class Person:
    """A character, human or machine, that can be called or texted.

    `number` is E.164, `description` one sentence for people. A call rings for `rings` simulated
    seconds, then `call` happens; a character who answers presses the keys `presses` whenever asked
    and stays for `stays` seconds. `text_error` is Twilio's error code for a text that doesn't
    arrive, `replies` what they text back to one that does.
    """

    number: str
    name: str
    description: str
    rings: float = 2
    call: Literal["answers", "busy", "no-answer", "failed"] = "answers"
    is_machine: bool = False
    presses: str = ""
    stays: float = LONGEST_LISTENING_SECONDS
    text_error: int | None = None
    has_texted_stop: bool = False
    replies: str = ""


PEOPLE: tuple[Person, ...] = (
    Person("+14125550101", "Busy", "Is on another call.", rings=1, call="busy"),
    Person("+14125550102", "Out", "Never answers.", rings=6, call="no-answer"),
    Person("+14125550103", "Voicemail", "A machine answers.", rings=4, is_machine=True),
    Person("+14125550104", "In a hurry", "Answers and hangs up at once.", stays=0.8),
    Person("+14125550105", "No line", "The line fails before it rings.", call="failed"),
    Person("+14125550106", "Attentive", "Answers and presses 1 when asked.", presses="1"),
    Person("+14125550107", "In a meeting", "Declines the call.", rings=2, call="busy"),
    Person("+14125550111", "Switched off", "Texts can't be delivered.", text_error=30003),
    Person("+14125550112", "Landline", "Takes calls but no texts.", text_error=30006),
    Person("+14125550113", "Unsubscribed", "Has texted STOP.", has_texted_stop=True),
    Person("+14125550114", "Gridlock", "Texts never leave Twilio.", text_error=30001),
    Person("+14125550115", "Prompt", "Replies 1 to a text.", replies="1"),
    Person("+14125550116", "Had enough", "Replies STOP to a text.", replies="STOP"),
)
_BY_NUMBER = {person.number: person for person in PEOPLE}


def person_at(number: str) -> Person:
    """Return who has `number` (E.164). At a number that isn't listed a person answers and listens
    to the end."""
    listed = _BY_NUMBER.get(number)
    return listed or Person(number, "Anybody", "Answers and listens to the end.")


def person_with_handset(number: str) -> Person:
    """Return a person with a handset, who presses keys and stays as they like."""
    return Person(number, "Handset", "A person answers on a handset.", stays=math.inf)


class Subscriptions:
    """Which people take texts from which numbers (E.164): STOP, START and HELP.

    The words are those that Twilio understands by default. https://help.twilio.com/articles/223134027
    """

    def __init__(self) -> None:
        self._wanted: dict[tuple[str, str], bool] = {}

    def has_stopped(self, sender: str, person: str) -> bool:
        """Whether `person` has texted STOP to `sender`."""
        stopped_before = person_at(person).has_texted_stop
        return not self._wanted.get((sender, person), not stopped_before)

    def receive(self, sender: str, person: str, body: str) -> str | None:
        """Act on what `person` texted to `sender`; return Twilio's automatic answer, if any."""
        word = body.strip().upper()
        has_stopped = self.has_stopped(sender, person)
        if word in STOP_WORDS:
            self._wanted[sender, person] = False
            # A second STOP gets no answer: they have asked for no more texts.
            return None if has_stopped else STOPPED
        if word in START_WORDS and has_stopped:
            self._wanted[sender, person] = True
            return STARTED
        return HELP if word in HELP_WORDS else None
