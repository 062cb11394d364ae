"""The Twilio account: its credentials, trial, balance and countries; and Twilio's clock."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

from alerts.cost import LIST_PRICES
from alerts.phone_numbers import international
from alerts.services import Services
from doctor.access import country_list
from doctor.check import Check, Fix, Group, Line, Lines
from settings import Settings
from twilio_client import Account, Balance, TwilioError, TwilioRefused, TwilioUnreachable

# Twilio may take longer to answer than people look at a page.
ANSWER_SECONDS = 15.0
LOW_BALANCE = Decimal(5)
MOST_SHOWN = 5
NOBODY = "Nobody can be called or texted"
CONSOLE = "https://console.twilio.com"
CREDENTIALS = Fix("TWILIO_ACCOUNT_SID=AC…\nTWILIO_AUTH_TOKEN=…", "In .env")
VERIFY = Fix(f"{CONSOLE}/us1/develop/phone-numbers/manage/verified")
BILLING = Fix(f"{CONSOLE}/us1/billing/manage-billing/billing-overview")
COUNTRIES = Fix(f"{CONSOLE}/us1/develop/voice/settings/geo-permissions")
# Twilio writes whole seconds.
RIGHT_WITHIN = timedelta(seconds=3)
# S3 refuses requests if the signer's clock is off by more than this.
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
S3_REFUSES_FROM = timedelta(minutes=15)
SYNCHRONIZE = Fix("sudo timedatectl set-ntp true", "On a Linux with systemd")


class AccountChecks:
    """The checks of one account. Other checks ask `is_in` first, and skip if it is false."""

    def __init__(self, settings: Settings, services: Services) -> None:
        self._settings = settings
        self._twilio = services.twilio
        self._regions = services.regions
        self._signing_in: asyncio.Task[Account | TwilioError | None] | None = None

    def checks(self) -> list[Check]:
        """Return the checks, in order."""
        return [
            Check("account", Group.TWILIO, "The account", self.account),
            Check("balance", Group.TWILIO, "The balance", self.balance),
            Check("countries", Group.TWILIO, "Countries switched on", self.countries),
        ]

    async def is_in(self) -> bool:
        """Whether Twilio accepts the credentials, and the account may be used."""
        found = await self._found()
        if isinstance(found, TwilioError):
            return False
        return found is None or found.status == "active"

    async def account(self) -> Lines:
        """Sign in; say what a trial account means."""
        found = await self._found()
        if isinstance(found, TwilioError):
            return [_refusal(found)]
        if found is None:
            key = self._settings.twilio_api_key_sid
            words = f"Twilio accepts the API key {key}, which may not read the account itself."
            return [Line("fine", words)]
        name = found.friendly_name or found.sid
        if found.status != "active":
            words = f"{NOBODY}: the account {name} is {found.status or 'not active'}."
            return [Line("broken", words, "Twilio's console says why.", (Fix(CONSOLE),))]
        if self._settings.simulated:
            return [Line("fine", "The simulator stands in for Twilio: nobody's phone rings.")]
        lines = [Line("fine", f"The account {name} is active.")]
        if found.type == "Trial":
            lines.append(await self._trial())
        return lines

    async def balance(self) -> Lines:
        """Say how much money is left."""
        if self._settings.simulated or not await self.is_in():
            return []
        try:
            left = await self._twilio.fetch_balance()
        except TwilioRefused as problem:
            return [Line("unknown", "The balance can't be read with this key.", str(problem))]
        except TwilioError as problem:
            return [Line("unknown", "The balance couldn't be read.", str(problem))]
        return [self._left(left)]

    async def countries(self) -> Lines:
        """Say that it isn't known which countries the account may call."""
        if self._settings.simulated or not await self.is_in():
            return []
        names = country_list(self._regions.allowed)
        words = f"Whether the account may call {names} can't be found out from here."
        return [
            Line(
                "unknown", words, "Twilio's console shows the countries that are on:", (COUNTRIES,)
            )
        ]

    def _left(self, left: Balance) -> Line:
        if left.balance is None:
            return Line("unknown", "The balance couldn't be read.", "Twilio named no amount.")
        money = f"{left.balance:,.2f} {left.currency or ''}".rstrip()
        if left.balance <= 0:
            seen = f"{money} are left. Add money, or switch on auto recharge:"
            return Line("broken", f"{NOBODY}: the balance is used up.", seen, (BILLING,))
        if left.balance < LOW_BALANCE:
            words = f"Only {money} are left{self._calls_left(left.balance, left.currency)}."
            return Line("to do", words, "Add money, or switch on auto recharge:", (BILLING,))
        return Line("fine", f"{money} are left.")

    def _calls_left(self, amount: Decimal, currency: str | None) -> str:
        price = LIST_PRICES.get(self._regions.default)
        if price is None or currency != "USD":
            return ""
        return f", about {round(float(amount) / price.minute):,} minutes of calls"

    async def _trial(self) -> Line:
        words = (
            "On trial, only numbers that you verified can be called and texted, and Twilio says "
            "before your message that it is a trial."
        )
        try:
            found = [each async for each in self._twilio.list_caller_ids(limit=MOST_SHOWN + 1)]
        except TwilioError as problem:
            return Line("to do", words, f"Upgrade the account. {problem}", (VERIFY,))
        numbers = [international(each.phone_number) for each in found if each.phone_number]
        more = " and more" if len(numbers) > MOST_SHOWN else ""
        verified = f"{', '.join(numbers[:MOST_SHOWN])}{more}" if numbers else "none"
        seen = f"Verified: {verified}. Upgrade the account, or verify other numbers:"
        return Line("to do", words, seen, (VERIFY,))

    async def _found(self) -> Account | TwilioError | None:
        if self._signing_in is None:
            self._signing_in = asyncio.create_task(self._sign_in(), name="signing in to Twilio")
        return await asyncio.shield(self._signing_in)

    async def _sign_in(self) -> Account | TwilioError | None:
        """Return the account; None if the API key is right but may not read it."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                try:
                    return await self._twilio.fetch_account()
                except TwilioRefused:
                    if not self._settings.twilio_api_key_sid:
                        raise
                # A standard API key may not read the account itself, so read the list of calls.
                _ = [call async for call in self._twilio.list_calls(limit=1)]
                return None
        except TimeoutError:
            return TwilioUnreachable(f"Twilio gave no answer within {ANSWER_SECONDS:g} s.")
        except TwilioError as problem:
            return problem


def _refusal(problem: TwilioError) -> Line:
    if isinstance(problem, TwilioRefused) and problem.status in {401, 403, 404}:
        return Line(
            "broken",
            f"{NOBODY}: Twilio refuses the credentials.",
            f"{problem} They are on the first page of its console.",
            (Fix(CONSOLE, "Copy them from"), CREDENTIALS),
        )
    return Line("broken", f"{NOBODY}: Twilio doesn't answer as it should.", str(problem))


class ClockChecks:
    """The check of the clock, by the `Date` of Twilio's answers to the account's checks."""

    def __init__(self, settings: Settings, services: Services, account: AccountChecks) -> None:
        self._settings = settings
        self._twilio = services.twilio
        self._account = account

    def checks(self) -> list[Check]:
        """Return the check."""
        return [Check("clock", Group.LETTING_IN, "The clock", self.clock)]

    async def clock(self) -> Lines:
        """Compare the clocks."""
        if self._settings.simulated or not await self._account.is_in():
            return []
        offset = self._twilio.clock_offset
        if abs(offset) <= RIGHT_WITHIN:
            seconds = max(1, round(abs(offset).total_seconds()))
            return [Line("fine", f"The clock is right to {seconds} s, by Twilio's.")]
        behind = "behind" if offset > timedelta() else "ahead of"
        words = f"This machine's clock is {_long(abs(offset))} {behind} Twilio's."
        if abs(offset) >= S3_REFUSES_FROM and self._settings.storage_kind == "s3":
            words = f"Nobody can be called: {words[0].lower()}{words[1:]}"
            seen = "S3 refuses requests whose time is wrong. Set the clock:"
            return [Line("broken", words, seen, (SYNCHRONIZE,))]
        seen = "Calls come too early or too late, and times in the log are wrong. Set the clock:"
        return [Line("to do", words, seen, (SYNCHRONIZE,))]


def _long(time: timedelta) -> str:
    seconds = time.total_seconds()
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    minutes = seconds / 60
    return f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.0f} hours"
