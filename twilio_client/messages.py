"""Texts. https://www.twilio.com/docs/messaging/api/message-resource"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Literal

from twilio_client.api import Api, fields, require, require_page, require_sid
from twilio_client.resources import Message

MAX_BODY_CHARACTERS = 1600
MAX_MEDIA = 10


class Messages(Api):
    """Send, look up and change texts.

    Every method raises `TwilioError` if Twilio does not do it, and ValueError before sending
    anything if the parameters contradict each other.
    """

    async def create_message(
        self,
        *,
        to: str,
        body: str,
        from_: str | None = None,
        messaging_service_sid: str | None = None,
        media_url: Sequence[str] = (),
        status_callback: str | None = None,
    ) -> Message:
        """Text `body` to `to` (E.164), from a number or from one that a messaging service picks.

        `body` is at most 1,600 characters, and may be empty if there is media. Twilio reports
        every change of status to `status_callback`.

        https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource
        """
        require(to, "The number to text is missing.")
        require(
            bool(from_) != bool(messaging_service_sid),
            "A text needs either from_ or messaging_service_sid, not both.",
        )
        if messaging_service_sid:
            require_sid("messaging service SID", messaging_service_sid, "MG")
        require(body or media_url, "The text is empty.")
        require(len(body) <= MAX_BODY_CHARACTERS, "A text is limited to 1,600 characters.")
        require(len(media_url) <= MAX_MEDIA, "A text is limited to 10 media files.")
        form = fields(
            To=to,
            From=from_ or None,
            MessagingServiceSid=messaging_service_sid or None,
            Body=body or None,
            MediaUrl=media_url,
            StatusCallback=status_callback,
        )
        return self._read(Message, await self._post(f"{self._account}/Messages.json", form))

    async def fetch_message(self, sid: str) -> Message:
        """Look up one text by its SID (SM… or MM…)."""
        return self._read(Message, await self._get(self._message_path(sid)))

    def list_messages(
        self,
        *,
        to: str | None = None,
        from_: str | None = None,
        sent_after: datetime | None = None,
        sent_before: datetime | None = None,
        page_size: int = 50,
        limit: int | None = None,
    ) -> AsyncIterator[Message]:
        """List the texts that match every filter, newest first, at most `limit` of them.

        Both times are inclusive and need a time zone. Twilio documents them as whole days, and a
        text that is still waiting to be sent has no such time: filter again where that matters.

        https://www.twilio.com/docs/messaging/api/message-resource#read-multiple-message-resources
        """
        require_page(page_size, limit)
        query = fields(
            To=to,
            From=from_,
            **{"DateSent>": sent_after, "DateSent<": sent_before},
            PageSize=page_size if limit is None else min(page_size, limit),
        )
        return self._list(Message, f"{self._account}/Messages.json", "messages", query, limit)

    async def update_message(
        self,
        sid: str,
        *,
        status: Literal["canceled"] | None = None,
        body: Literal[""] | None = None,
    ) -> Message:
        """Cancel a scheduled text, or erase its words from Twilio's records.

        https://www.twilio.com/docs/messaging/api/message-resource#update-a-message-resource
        """
        require((status is None) != (body is None), "An update needs either status or body.")
        require(not body, "The body of a text can only be emptied.")
        form = fields(Status=status, Body=body)
        return self._read(Message, await self._post(self._message_path(sid), form))

    def _message_path(self, sid: str) -> str:
        require_sid("message SID", sid, "SM|MM")
        return f"{self._account}/Messages/{sid}.json"
