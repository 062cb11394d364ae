"""What calls and texts come from: the From number, and what US carriers want of those who text."""

from __future__ import annotations

import phonenumbers

from alerts.doctor.account import AccountChecks
from alerts.doctor.check import Check, Fix, Group, Line, Lines
from alerts.doctor.fixes import CONSOLE
from alerts.phone_numbers import international
from alerts.services import Services
from settings import Settings
from twilio_client import IncomingPhoneNumber, MessagingService, TwilioError, TwilioRefused

BUY = Fix(f"{CONSOLE}/us1/develop/phone-numbers/manage/search")
REGISTER = Fix(f"{CONSOLE}/us1/develop/sms/regulatory-compliance/brand-registration")
TOLL_FREE = Fix(f"{CONSOLE}/us1/develop/phone-numbers/manage/toll-free-verification")
SERVICE = Fix("TWILIO_MESSAGING_SERVICE_SID=MG…", "In .env")
DROPPED = "US carriers drop texts from a number without a registered campaign."
MOST_NUMBERS = 50


class SenderChecks:
    """The checks of the From number and of the messaging service."""

    def __init__(self, settings: Settings, services: Services, account: AccountChecks) -> None:
        self._settings = settings
        self._twilio = services.twilio
        self._services = services
        self._account = account
        self._number = services.from_number

    def checks(self) -> list[Check]:
        """Return the checks, in order."""
        return [
            Check("sender", Group.TWILIO, "The From number", self.sender),
            Check("texts", Group.TWILIO, "Texts to the United States", self.texts),
        ]

    async def sender(self) -> Lines:
        """Find out whether the number may call and text."""
        if not await self._account.is_in():
            return []
        shown = international(self._number)
        try:
            owned = await self._twilio.find_number(self._number)
            if owned is not None:
                return self._of_own(shown, owned)
            verified = [each async for each in self._twilio.list_caller_ids(self._number, limit=1)]
            if not verified:
                return [await self._unusable(shown)]
        except TwilioError as problem:
            words = f"Whether calls may come from {shown} couldn't be asked."
            return [Line("unknown", words, str(problem))]
        lines = [Line("fine", f"Calls come from {shown}, which is verified, but not Twilio's.")]
        if not self._services.messaging_service_sid:
            words = f"Nobody can be texted: {shown} is only verified for calls."
            seen = "Buy a number that can text, or use a messaging service:"
            lines.append(Line("to do", words, seen, (BUY, SERVICE)))
        return lines

    async def texts(self) -> Lines:
        """Find out whether US carriers know the sender, as far as Twilio tells."""
        to_us = "US" in self._services.regions.allowed
        if self._settings.simulated or not to_us or not await self._account.is_in():
            return []
        sid = self._services.messaging_service_sid
        if not sid:
            return await self._texts_of_number()
        try:
            return [_of_service(await self._twilio.fetch_messaging_service(sid))]
        except TwilioRefused as problem:
            if problem.status != 404:
                words = f"Whether US carriers take texts of {sid} couldn't be asked."
                return [Line("unknown", words, str(problem))]
            words = f"Nobody can be texted: the account has no messaging service {sid}."
            return [Line("broken", words, "Twilio's console lists them:", (_services(), SERVICE))]
        except TwilioError as problem:
            words = f"Whether US carriers take texts of {sid} couldn't be asked."
            return [Line("unknown", words, str(problem))]

    def _of_own(self, shown: str, owned: IncomingPhoneNumber) -> Lines:
        if owned.capabilities.voice is False:
            words = f"Nobody can be called: {shown} takes no calls."
            seen = "Buy a number that can call, and set it:"
            return [Line("broken", words, seen, (BUY, Fix("TWILIO_FROM_NUMBER=+…", "In .env")))]
        if owned.capabilities.sms is False and not self._services.messaging_service_sid:
            calls = Line("fine", f"Calls come from {shown}, which is the account's own.")
            words = f"Nobody can be texted: {shown} can call, but not text."
            seen = "Buy a number that can text, or use a messaging service:"
            return [calls, Line("to do", words, seen, (BUY, SERVICE))]
        both = "Calls come" if self._services.messaging_service_sid else "Calls and texts come"
        return [Line("fine", f"{both} from {shown}, which is the account's own.")]

    async def _unusable(self, shown: str) -> Line:
        words = f"Nobody can be called: {shown} is neither the account's own nor verified."
        owned = [each async for each in self._twilio.list_numbers(limit=MOST_NUMBERS)]
        usable = next(
            (each.phone_number for each in owned if each.capabilities.voice is not False), None
        )
        if usable:
            fix = Fix(f"TWILIO_FROM_NUMBER={usable}", "In .env")
            return Line("broken", words, "This number is the account's own:", (fix,))
        return Line("broken", words, "The account has no number yet. Get one:", (BUY,))

    async def _texts_of_number(self) -> Lines:
        try:
            owned = await self._twilio.find_number(self._number)
        except TwilioError:
            return []  # said by the check of the number
        parsed = phonenumbers.parse(self._number)
        if owned is None or owned.capabilities.sms is False or parsed.country_code != 1:
            return []
        if phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.TOLL_FREE:
            words = "Whether the toll-free number is verified for texts can't be asked from here."
            seen = "US carriers drop texts from one that isn't. Twilio's console shows it:"
            return [Line("unknown", words, seen, (TOLL_FREE,))]
        seen = "Register one in Twilio's console, then set its messaging service here."
        return [Line("to do", DROPPED, seen, (REGISTER, SERVICE))]


def _of_service(service: MessagingService) -> Line:
    sid = service.sid
    if service.us_app_to_person_registered is None:
        return Line(
            "unknown",
            f"Twilio doesn't say whether a campaign is registered for {sid}.",
            "US carriers drop texts without one. Twilio's console shows it:",
            (REGISTER,),
        )
    if not service.us_app_to_person_registered:
        seen = f"No campaign is registered for the messaging service {sid}. Register one:"
        return Line("to do", DROPPED, seen, (REGISTER,))
    return Line("fine", f"US carriers take texts of {sid}: its campaign is registered.")


def _services() -> Fix:
    return Fix(f"{CONSOLE}/us1/develop/sms/services")
