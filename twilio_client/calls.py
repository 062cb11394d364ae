"""Phone calls. https://www.twilio.com/docs/voice/api/call-resource"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Literal

from twilio_client.api import Api, HttpMethod, fields, require, require_page, require_sid
from twilio_client.resources import Call

CallStatus = Literal[
    "queued", "ringing", "in-progress", "completed", "busy", "failed", "no-answer", "canceled"
]
CallEvent = Literal["initiated", "ringing", "answered", "completed"]
MAX_TWIML_CHARACTERS = 4000
MAX_RING_SECONDS = 600
SEND_DIGITS = r"[0-9*#wW]{1,32}"


class Calls(Api):
    """Place, look up and change calls.

    Every method raises `TwilioError` if Twilio does not do it, and ValueError before sending
    anything if the parameters contradict each other.
    """

    async def create_call(
        self,
        *,
        to: str,
        from_: str,
        url: str | None = None,
        method: HttpMethod = "GET",
        twiml: str | None = None,
        status_callback: str | None = None,
        status_callback_event: Sequence[CallEvent] = (),
        machine_detection: Literal["Enable", "DetectMessageEnd"] | None = None,
        async_amd: bool = False,
        async_amd_status_callback: str | None = None,
        timeout: int | None = None,  # noqa: ASYNC109 - Twilio's name for how long it rings
        send_digits: str | None = None,
    ) -> Call:
        """Call `to` from `from_` (E.164) and speak the TwiML at `url`, or `twiml` itself.

        Twilio fetches `url` with `method`: GET by default, because hosts of static files answer
        POST with 405. It reports each `status_callback_event` to `status_callback` (only
        `completed` if none is given). `machine_detection` finds out whether a person answered;
        with `async_amd` it does so while the call goes on, and reports it to
        `async_amd_status_callback`. `timeout` is how many seconds the phone rings; Twilio's
        default is 60. `send_digits` are keys that Twilio presses once the call is answered, such as
        an extension; each `w` before or among them waits half a second.

        https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource
        """
        require(to, "The number to call is missing.")
        require(from_, "The From number is missing.")
        require((url is None) != (twiml is None), "A call needs either url or twiml, not both.")
        require(
            len(twiml or "") <= MAX_TWIML_CHARACTERS,
            "TwiML in the request is limited to 4,000 characters; publish it and pass its url.",
        )
        require(
            status_callback or not status_callback_event,
            "status_callback_event needs a status_callback.",
        )
        require(machine_detection or not async_amd, "async_amd needs machine_detection.")
        require(
            async_amd or not async_amd_status_callback,
            "async_amd_status_callback needs async_amd.",
        )
        require(
            timeout is None or 1 <= timeout <= MAX_RING_SECONDS, "A phone rings 1 to 600 seconds."
        )
        require(
            send_digits is None or re.fullmatch(SEND_DIGITS, send_digits),
            "send_digits takes up to 32 of 0-9, *, # and w.",
        )
        form = fields(
            To=to,
            From=from_,
            Url=url,
            Method=None if url is None else method,
            Twiml=twiml,
            StatusCallback=status_callback,
            StatusCallbackEvent=status_callback_event,
            MachineDetection=machine_detection,
            AsyncAmd=True if async_amd else None,
            AsyncAmdStatusCallback=async_amd_status_callback,
            Timeout=timeout,
            SendDigits=send_digits,
        )
        return self._read(Call, await self._post(f"{self._account}/Calls.json", form))

    async def fetch_call(self, sid: str) -> Call:
        """Look up one call by its SID (CA…)."""
        return self._read(Call, await self._get(self._call_path(sid)))

    def list_calls(
        self,
        *,
        to: str | None = None,
        from_: str | None = None,
        status: CallStatus | None = None,
        started_after: datetime | None = None,
        started_before: datetime | None = None,
        page_size: int = 50,
        limit: int | None = None,
    ) -> AsyncIterator[Call]:
        """List the calls that match every filter, newest first, at most `limit` of them.

        Both times are inclusive and need a time zone. Twilio documents them as whole days, and a
        call that has not been dialed yet has no start time: filter again where that matters.

        https://www.twilio.com/docs/voice/api/call-resource#read-multiple-call-resources
        """
        require_page(page_size, limit)
        query = fields(
            To=to,
            From=from_,
            Status=status,
            **{"StartTime>": started_after, "StartTime<": started_before},
            PageSize=page_size if limit is None else min(page_size, limit),
        )
        return self._list(Call, f"{self._account}/Calls.json", "calls", query, limit)

    async def update_call(
        self,
        sid: str,
        *,
        status: Literal["canceled", "completed"] | None = None,
        twiml: str | None = None,
        url: str | None = None,
        method: HttpMethod = "GET",
    ) -> Call:
        """End a call, or let it continue with other TwiML.

        `canceled` ends a call that is queued or ringing; `completed` also ends an answered one.

        https://www.twilio.com/docs/voice/api/call-resource#update-a-call-resource
        """
        given = [value for value in (status, twiml, url) if value is not None]
        require(len(given) == 1, "An update needs one of status, twiml and url.")
        require(
            len(twiml or "") <= MAX_TWIML_CHARACTERS, "TwiML is limited to 4,000 characters here."
        )
        form = fields(Status=status, Twiml=twiml, Url=url, Method=None if url is None else method)
        return self._read(Call, await self._post(self._call_path(sid), form))

    def _call_path(self, sid: str) -> str:
        require_sid("call SID", sid, "CA")
        return f"{self._account}/Calls/{sid}.json"
