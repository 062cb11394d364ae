"""Accounts: a name, a status, telephone numbers, and the caller IDs that were verified."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from simulator.models.phone_numbers import VALID_FROM, for_display, is_sender_id
from simulator.models.sids import account_path, number_sid

SIMULATOR_ACCOUNT_SID = "AC51a1051a1051a1051a1051a1051a1051"
"""The account that the dashboard uses when no real one is set."""

SIMULATOR_AUTH_TOKEN = "no-secret-for-the-simulator"  # noqa: S105 - guards nothing
"""The auth token that goes with it."""

OPENING_BALANCE_DOLLARS = 100.0


@dataclass
class CallerId:
    """A number that the account may call from. One it doesn't own was verified by a call to it."""

    account_sid: str
    number: str
    date_created: datetime
    friendly_name: str = ""

    def __post_init__(self) -> None:
        self.friendly_name = self.friendly_name or for_display(self.number)
        self.sid = number_sid(self.account_sid, self.number)
        self.date_updated = self.date_created


@dataclass
class PhoneNumber(CallerId):
    """A number that the account owns; `settings` are its fields in JSON that a client may set.

    `capabilities` are what it can do, as in its JSON; calls and texts are placed all the same.
    """

    settings: dict[str, object] = field(default_factory=dict)
    capabilities: dict[str, bool] = field(
        default_factory=lambda: {"voice": True, "sms": True, "mms": True, "fax": False}
    )


@dataclass
class ShortCode:
    """A short code that the account owns; `settings` are its fields in JSON that a client may set.

    https://www.twilio.com/docs/messaging/api/short-code-resource
    """

    account_sid: str
    number: str
    date_created: datetime
    friendly_name: str = ""
    settings: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.friendly_name = self.friendly_name or self.number
        self.sid = number_sid(self.account_sid, self.number, "SC")
        self.date_updated = self.date_created


@dataclass
class Account:
    """One account; its numbers, short codes and caller IDs are kept under their SIDs, oldest
    first.

    One on trial reaches only its verified caller IDs. `opening_balance` is in US dollars.
    """

    sid: str
    date_created: datetime
    friendly_name: str = "Simulated account"
    status: str = "active"
    on_trial: bool = False
    opening_balance: float = OPENING_BALANCE_DOLLARS
    numbers: dict[str, PhoneNumber] = field(default_factory=dict)
    short_codes: dict[str, ShortCode] = field(default_factory=dict)
    caller_ids: dict[str, CallerId] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.date_updated = self.date_created

    @property
    def path(self) -> str:
        """The account's path in the REST API, without `.json`."""
        return account_path(self.sid)

    def add_number(self, number: PhoneNumber) -> None:
        """Let the account own a number from now on."""
        self.numbers[number.sid] = number

    def add_caller_id(self, caller_id: CallerId) -> None:
        """Let the account call from a verified number from now on."""
        self.caller_ids[caller_id.sid] = caller_id

    def owned(self, number: str) -> PhoneNumber | None:
        """Return the account's own number (E.164), or None if it owns no such number."""
        return self.numbers.get(number_sid(self.sid, number))

    def owned_sender(self, sender: str) -> PhoneNumber | ShortCode | None:
        """Return the account's own number (E.164) or short code, or None if it has no such one."""
        return self.owned(sender) or self.short_codes.get(number_sid(self.sid, sender, "SC"))

    def may_text_from(self, sender: str) -> bool:
        """Whether texts may carry `sender`, any sender ID among them."""
        if sender == VALID_FROM or is_sender_id(sender):
            return True
        return self.owned_sender(sender) is not None

    def may_reach(self, number: str) -> bool:
        """Whether calls and texts may go to `number`: on trial only if it is verified or owned.

        https://www.twilio.com/docs/usage/tutorials/how-to-use-your-free-trial-account
        """
        return not self.on_trial or self.may_call_from(number)

    def may_call_from(self, number: str) -> bool:
        """Whether calls may show `number` as their caller ID."""
        if number == VALID_FROM or self.owned(number) is not None:
            return True
        return number_sid(self.sid, number) in self.caller_ids


class Accounts:
    """Every account that was used so far; each starts with `own_number` and `short_codes`.

    All are `on_trial`, or none.
    """

    def __init__(
        self,
        own_number: str,
        short_codes: Sequence[str],
        opened: datetime,
        *,
        on_trial: bool,
        opening_balance: float,
    ) -> None:
        self._own_number = own_number
        self._short_codes = short_codes
        self._opened = opened
        self._on_trial = on_trial
        self._opening_balance = opening_balance
        self._accounts: dict[str, Account] = {}

    def get(self, sid: str) -> Account:
        """Return the account with this SID; it is opened when it is first asked for."""
        account = self._accounts.get(sid)
        if account is None:
            account = self._accounts[sid] = Account(
                sid,
                self._opened,
                on_trial=self._on_trial,
                opening_balance=self._opening_balance,
            )
            account.add_number(PhoneNumber(sid, self._own_number, self._opened))
            for number in self._short_codes:
                short_code = ShortCode(sid, number, self._opened)
                account.short_codes[short_code.sid] = short_code
        return account
