"""Where Twilio tells this app what becomes of an alert."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, urlencode

STATUS_PATH = "/twilio/status"
KEY_PRESS_PATH = "/twilio/gather"


@dataclass(frozen=True)
class CallbackAddresses:
    """The addresses below `base`, which is where the app is reached, without a slash at its end."""

    base: str

    def status(self, alert_id: str, try_number: int) -> str:
        """Where a call or text tells its status, and a call who answered it."""
        return self._address(STATUS_PATH, alert_id, try_number)

    def key_press(self, alert_id: str, try_number: int) -> str:
        """Where a call tells which keys were pressed, and gets what comes next."""
        return self._address(KEY_PRESS_PATH, alert_id, try_number)

    def _address(self, path: str, alert_id: str, try_number: int) -> str:
        # Nothing that somebody on the way might write in another way: the signature covers it.
        query = urlencode({"alert": alert_id, "try": try_number}, quote_via=quote, safe="")
        return f"{self.base}{path}?{query}"


class UnknownAlert(LookupError):
    """Twilio tells of an alert that isn't here."""


@dataclass(frozen=True, slots=True)
class About:
    """The try of an alert that Twilio tells of, and the SID of its call or text."""

    alert_id: str
    try_number: int
    sid: str

    @classmethod
    def of(cls, query: Mapping[str, str], form: Mapping[str, str]) -> Self:
        """What an address above and Twilio's form name. Raises `UnknownAlert`."""
        alert_id, number = query.get("alert", ""), query.get("try", "")
        sid = form.get("CallSid") or form.get("MessageSid")
        is_number = number.isascii() and number.isdecimal() and len(number) < 6
        if not (alert_id and is_number and sid):
            raise UnknownAlert
        return cls(alert_id, int(number), sid)
