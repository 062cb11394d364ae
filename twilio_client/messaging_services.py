"""Messaging services: where the texts to their numbers are reported.

https://www.twilio.com/docs/messaging/api/service-resource
"""

from __future__ import annotations

from twilio_client.api import Api, HttpMethod, fields, require_sid
from twilio_client.resources import MessagingService


class MessagingServices(Api):
    """Look up and change messaging services, which have an API and a host of their own.

    Every method raises `TwilioError` if Twilio does not do it, and ValueError before sending
    anything if the SID can't be one.
    """

    async def fetch_messaging_service(self, sid: str) -> MessagingService:
        """Look up one messaging service by its SID (MG…)."""
        path = self._service_path(sid)
        return self._read(MessagingService, await self._request("GET", path, host="messaging"))

    async def update_messaging_service(
        self, sid: str, *, inbound_request_url: str, inbound_method: HttpMethod = "POST"
    ) -> MessagingService:
        """Let Twilio report the texts to all of the service's numbers to one address."""
        form = fields(
            InboundRequestUrl=inbound_request_url,
            InboundMethod=inbound_method,
            UseInboundWebhookOnNumber=False,
        )
        path = self._service_path(sid)
        answer = await self._request("POST", path, form=form, host="messaging")
        return self._read(MessagingService, answer)

    def _service_path(self, sid: str) -> str:
        require_sid("messaging service SID", sid, "MG")
        return f"/v1/Services/{sid}"
