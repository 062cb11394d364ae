"""What an account has: a name, a status, telephone numbers, and caller IDs it has verified."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from simulator.models.phone_numbers import VALID_FROM, for_display
from simulator.models.sids import number_sid


@dataclass
class PhoneNumber:
    """A number the account owns; `settings` are its fields in JSON that a client may set."""

    account_sid: str
    number: str
    date_created: datetime
    friendly_name: str = ""
    settings: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.friendly_name = self.friendly_name or for_display(self.number)
        self.sid = number_sid(self.account_sid, self.number)
        self.date_updated = self.date_created


@dataclass
class CallerId:
    """Somebody else's number that the account has verified and may call from."""

    account_sid: str
    number: str
    date_created: datetime
    friendly_name: str = ""

    def __post_init__(self) -> None:
        self.friendly_name = self.friendly_name or for_display(self.number)
        self.sid = number_sid(self.account_sid, self.number)
        self.date_updated = self.date_created


@dataclass
class Account:
    """One account; numbers and caller IDs are kept under their SIDs, oldest first."""

    sid: str
    date_created: datetime
    friendly_name: str = "Simulated account"
    status: str = "active"
    numbers: dict[str, PhoneNumber] = field(default_factory=dict)
    caller_ids: dict[str, CallerId] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.date_updated = self.date_created

    def add(self, number: PhoneNumber) -> None:
        """Let the account own a number from now on."""
        self.numbers[number.sid] = number

    def verify(self, caller_id: CallerId) -> None:
        """Let the account call from somebody's number from now on."""
        self.caller_ids[caller_id.sid] = caller_id

    def owns(self, number: str) -> bool:
        """Whether the account may text, and be called, from this number."""
        return number_sid(self.sid, number) in self.numbers

    def may_text_from(self, number: str) -> bool:
        """Whether texts may carry `number` as their sender."""
        return number == VALID_FROM or self.owns(number)

    def may_call_from(self, number: str) -> bool:
        """Whether calls may show `number` as their caller ID."""
        return self.may_text_from(number) or number_sid(self.sid, number) in self.caller_ids


class Accounts:
    """Every account that has come in so far; each starts with `own_number`."""

    def __init__(self, own_number: str, opened: datetime) -> None:
        self._own_number = own_number
        self._opened = opened
        self._accounts: dict[str, Account] = {}

    def of(self, sid: str) -> Account:
        """The account with this SID, opened when it is first asked for."""
        account = self._accounts.get(sid)
        if account is None:
            account = self._accounts[sid] = Account(sid, self._opened)
            account.add(PhoneNumber(sid, self._own_number, self._opened))
        return account
