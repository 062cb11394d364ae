"""Who wants texts: STOP, START and HELP, as Twilio understands them by default.

https://help.twilio.com/articles/223134027
"""

from __future__ import annotations

from simulator.models.people import person_at

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


class Subscriptions:
    """Which people take texts from which numbers. All numbers are E.164."""

    def __init__(self) -> None:
        self._wanted: dict[tuple[str, str], bool] = {}

    def has_stopped(self, sender: str, person: str) -> bool:
        """Whether `person` has said STOP to `sender`."""
        stopped_before = person_at(person).has_texted_stop
        return not self._wanted.get((sender, person), not stopped_before)

    def hear(self, sender: str, person: str, body: str) -> str | None:
        """Take in what `person` texted to `sender`; what Twilio answers by itself, if anything."""
        word = body.strip().upper()
        has_stopped = self.has_stopped(sender, person)
        if word in STOP_WORDS:
            self._wanted[sender, person] = False
            # Nobody is told twice that they will hear no more.
            return None if has_stopped else STOPPED
        if word in START_WORDS and has_stopped:
            self._wanted[sender, person] = True
            return STARTED
        return HELP if word in HELP_WORDS else None
