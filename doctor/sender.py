"""The number that calls and texts come from, and where Twilio reports replies to it.

Also what US carriers require of senders of texts.
https://www.twilio.com/docs/messaging/guides/webhook-request
"""

from __future__ import annotations

import phonenumbers

from alerts.phone_numbers import international
from alerts.services import Services
from doctor.account import CONSOLE, AccountChecks
from doctor.check import Check, Fix, Group, Line, Lines
from settings import Settings
from twilio_client import IncomingPhoneNumber, MessagingService, TwilioError, TwilioRefused

BUY = Fix(f"{CONSOLE}/us1/develop/phone-numbers/manage/search")
REGISTER = Fix(f"{CONSOLE}/us1/develop/sms/regulatory-compliance/brand-registration")
TOLL_FREE = Fix(f"{CONSOLE}/us1/develop/phone-numbers/manage/toll-free-verification")
SERVICE = Fix("TWILIO_MESSAGING_SERVICE_SID=MG…", "In .env")
DROPPED = "US carriers drop texts from a number without a registered campaign."
MOST_NUMBERS = 50
SLOWER = "Until then Callboard looks for awaited replies itself, up to a minute later."
SET_WEBHOOK = Fix(".venv/bin/python -m alerts doctor --set-webhook", "To have them reported here")


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
            words = f"Whether calls may come from {shown} couldn't be found out."
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
                words = f"Whether US carriers take texts of {sid} couldn't be found out."
                return [Line("unknown", words, str(problem))]
            words = f"Nobody can be texted: the account has no messaging service {sid}."
            return [Line("broken", words, "Twilio's console lists them:", (_services(), SERVICE))]
        except TwilioError as problem:
            words = f"Whether US carriers take texts of {sid} couldn't be found out."
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
            words = (
                "Whether the toll-free number is verified for texts can't be found out from here."
            )
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


class ReplyChecks:
    """The check of the webhook for incoming texts; with `set_webhook` it is set to this app."""

    def __init__(
        self,
        settings: Settings,
        services: Services,
        account: AccountChecks,
        *,
        set_webhook: bool = False,
    ) -> None:
        self._settings = settings
        self._services = services
        self._account = account
        self._set_webhook = set_webhook

    def checks(self) -> list[Check]:
        """Return the check."""
        return [Check("replies", Group.LETTING_IN, "Replies to texts", self.replies)]

    async def replies(self) -> Lines:
        """Say where texts to the number or the messaging service are reported."""
        callbacks = self._services.callbacks
        if self._settings.simulated or callbacks is None:
            return self._nothing_to_set() if self._set_webhook else []
        if not await self._account.is_in():
            return []
        here = callbacks.inbound
        try:
            if self._services.messaging_service_sid:
                return [await self._service(self._services.messaging_service_sid, here)]
            return [await self._number(here)]
        except TwilioError as problem:
            words = "Where replies to texts are reported couldn't be found out."
            return [Line("broken" if self._set_webhook else "unknown", words, str(problem))]

    def _nothing_to_set(self) -> Lines:
        if self._settings.simulated:
            seen = "No account is set: the simulator needs no webhook."
        else:
            seen = "Set PUBLIC_URL first: the webhook is an address below it."
        return [Line("broken", "No webhook was set for replies to texts.", seen)]

    async def _number(self, here: str) -> Line:
        number = self._services.from_number
        owned = await self._services.twilio.find_number(number)
        if owned is None:
            words = f"Nobody can reply to {international(number)}: it isn't the account's own."
            return Line("broken" if self._set_webhook else "unknown", words)
        texts = f"Texts to {international(number)}"
        if owned.sms_url == here and owned.sms_method in {None, "POST"}:
            return Line("fine", f"{texts} are reported here.")
        before = f"to {owned.sms_url}" if owned.sms_url else "nowhere"
        if not self._set_webhook:
            return _elsewhere(texts, before)
        await self._services.twilio.update_number(owned.sid, sms_url=here)
        return Line("fine", f"{texts} are reported here now; before, {before}.")

    async def _service(self, sid: str, here: str) -> Line:
        texts, twilio = f"Texts to the messaging service {sid}", self._services.twilio
        service = await twilio.fetch_messaging_service(sid)
        by_number = service.use_inbound_webhook_on_number
        is_here = service.inbound_request_url == here and service.inbound_method == "POST"
        if is_here and not by_number:
            return Line("fine", f"{texts} are reported here.")
        before = f"to {service.inbound_request_url}" if service.inbound_request_url else "nowhere"
        before = "where each of its numbers says" if by_number else before
        if not self._set_webhook:
            return _elsewhere(texts, before)
        await twilio.update_messaging_service(sid, inbound_request_url=here)
        return Line("fine", f"{texts} are reported here now; before, {before}.")


def _elsewhere(texts: str, where: str) -> Line:
    # Another program may want these reports, and replies are found without them too.
    words = (
        f"Replies arrive up to a minute late: {texts[0].lower()}{texts[1:]} aren't reported here."
    )
    return Line("to do", words, f"They are reported {where}. {SLOWER}", (SET_WEBHOOK,))
