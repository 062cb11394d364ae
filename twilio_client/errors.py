"""The errors of a request to Twilio, told apart by what became of it.

TwilioError
├── TwilioRefused         Twilio said no (4xx): nothing happened, and trying again changes nothing.
├── TwilioRateLimited     Too many requests (429): not processed, so it can be sent again.
├── TwilioUnreachable     No connection: never sent, so it can be sent again.
└── TwilioUncertain       It may have gone through: check Twilio's list before sending it again.

A caller has to know which it is: sending a call again after `TwilioUncertain` could ring the same
person twice.
"""

from __future__ import annotations

from twilio_client.hints import HINTS, hint_for


class TwilioError(Exception):
    """A request to Twilio that did not do what was asked. `str()` is one sentence for people.

    status: the HTTP status, if Twilio answered.
    code: Twilio's error code (https://www.twilio.com/docs/api/errors), if there is one.
    message: what happened, in Twilio's words where there are any.
    more_info: the address of Twilio's page about the code.
    hint: what it means and what to do, in our words.
    retry_after: how many seconds Twilio asks to wait, if it says.
    """

    opening = "Twilio did not do this"

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: int | None = None,
        more_info: str | None = None,
        hint: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.more_info = more_info
        self.hint = hint_for(code, status) if hint is None else hint
        self.retry_after = retry_after

    def __str__(self) -> str:
        if self.status is None:
            return self.message if self.message.endswith(".") else f"{self.message}."
        if self.code in HINTS:
            return f"{self.hint.removesuffix('.')} (Twilio error {self.code})."
        reference = f"HTTP {self.status}" if self.code is None else f"Twilio error {self.code}"
        return f"{self.opening} ({reference}): {self.message.removesuffix('.')}."


class TwilioRefused(TwilioError):
    """Twilio refused the request (4xx). Nothing happened, and the same request fails again."""

    opening = "Twilio refused this"


class TwilioRateLimited(TwilioError):
    """Too many requests (429, code 20429). This one was not processed and can be sent again."""

    opening = "Twilio asks to wait"


class TwilioUnreachable(TwilioError):
    """There was no connection, so the request was never sent. It can be sent again."""


class TwilioUncertain(TwilioError):
    """The request may have gone through: the answer was lost, late, or cannot be read.

    Look in the list of recent calls or messages before sending it again.
    """

    opening = "Twilio may or may not have done this"
