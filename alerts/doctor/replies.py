"""Where Twilio reports the texts to our number, and setting that to this app if asked to.

https://www.twilio.com/docs/messaging/guides/webhook-request
"""

from __future__ import annotations

from alerts.doctor.account import AccountChecks
from alerts.doctor.check import Check, Fix, Group, Line, Lines
from alerts.phone_numbers import international
from alerts.services import Services
from settings import Settings
from twilio_client import TwilioError

SLOWER = "Until then Callboard looks for awaited replies itself, up to a minute later."
SET_WEBHOOK = Fix(".venv/bin/python -m alerts doctor --set-webhook", "To have them reported here")


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
            words = "Where replies to texts are reported couldn't be asked."
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
    # Another program may want them, and replies arrive all the same.
    words = (
        f"Replies arrive up to a minute late: {texts[0].lower()}{texts[1:]} aren't reported here."
    )
    return Line("to do", words, f"They are reported {where}. {SLOWER}", (SET_WEBHOOK,))
