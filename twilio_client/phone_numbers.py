"""The account's own numbers, where texts to them are reported, and the verified numbers of others.

https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from twilio_client.api import Api, HttpMethod, fields, require, require_page, require_sid
from twilio_client.resources import IncomingPhoneNumber, OutgoingCallerId


class PhoneNumbers(Api):
    """Look up and change the account's own numbers.

    Every method raises `TwilioError` if Twilio does not do it, and ValueError before sending
    anything if a parameter can't be right.
    """

    async def find_number(self, phone_number: str) -> IncomingPhoneNumber | None:
        """Look up the account's own number `phone_number` (E.164); None if it has no such one."""
        require(phone_number, "The number to look up is missing.")
        path = f"{self._account}/IncomingPhoneNumbers.json"
        query = fields(PhoneNumber=phone_number, PageSize=20)
        # Twilio's filter also finds longer numbers that hold these digits.
        async for number in self._list(
            IncomingPhoneNumber, path, "incoming_phone_numbers", query, None
        ):
            if number.phone_number == phone_number:
                return number
        return None

    def list_numbers(self, *, limit: int | None = None) -> AsyncIterator[IncomingPhoneNumber]:
        """List the account's own numbers, newest first."""
        require_page(50, limit)
        path = f"{self._account}/IncomingPhoneNumbers.json"
        query = fields(PageSize=50)
        return self._list(IncomingPhoneNumber, path, "incoming_phone_numbers", query, limit)

    def list_caller_ids(
        self, phone_number: str | None = None, *, limit: int | None = None
    ) -> AsyncIterator[OutgoingCallerId]:
        """List the verified numbers of others, newest first; with a number (E.164) only that one.

        https://www.twilio.com/docs/voice/api/outgoing-caller-ids
        """
        require_page(50, limit)
        path = f"{self._account}/OutgoingCallerIds.json"
        query = fields(PhoneNumber=phone_number, PageSize=50)
        return self._list(OutgoingCallerId, path, "outgoing_caller_ids", query, limit)

    async def update_number(
        self, sid: str, *, sms_url: str, sms_method: HttpMethod = "POST"
    ) -> IncomingPhoneNumber:
        """Let Twilio report the texts to the number with this SID (PN…) to `sms_url`."""
        require_sid("number's SID", sid, "PN")
        form = fields(SmsUrl=sms_url, SmsMethod=sms_method)
        path = f"{self._account}/IncomingPhoneNumbers/{sid}.json"
        return self._read(IncomingPhoneNumber, await self._post(path, form))
