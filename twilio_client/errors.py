"""What can go wrong with a request, told apart by what became of it.

That is what a caller must know: another try after `TwilioUncertain` could ring somebody twice.
"""

from __future__ import annotations

from twilio_client.hints import HINTS, hint_for


class TwilioError(Exception):
    """A request to Twilio that did not do what was asked. `str()` is one sentence for people.

    status: the HTTP status, if Twilio answered.
    code: Twilio's error code (https://www.twilio.com/docs/api/errors), if it gave one.
    message: what happened, in Twilio's words if it gave any.
    more_info: the address of Twilio's page about the code.
    hint: what it means and what to do, in our words.
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
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.more_info = more_info
        self.hint = hint_for(code, status) if hint is None else hint

    def __str__(self) -> str:
        if self.status is None:
            return self.message if self.message.endswith(".") else f"{self.message}."
        if self.code in HINTS:
            return f"{self.hint.removesuffix('.')} (Twilio error {self.code})."
        reference = f"HTTP {self.status}" if self.code is None else f"Twilio error {self.code}"
        return f"{self.opening} ({reference}): {self.message.removesuffix('.')}."


class TwilioRefused(TwilioError):
    """Twilio turned the request down (4xx): nothing happened, and the same fails again."""

    opening = "Twilio refused this"


class TwilioRateLimited(TwilioError):
    """Too many requests (429, code 20429): this one was not processed, so it can be sent again.

    retry_after: how many seconds Twilio asks to wait, if it says.
    """

    opening = "Twilio turned this away for now"

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
        super().__init__(message, status=status, code=code, more_info=more_info, hint=hint)
        self.retry_after = retry_after


class TwilioUnreachable(TwilioError):
    """No connection came about, so the request was never sent: it can be sent again."""


class TwilioUncertain(TwilioError):
    """The request may have gone through: the answer never came, broke off, or cannot be read.

    Look in the list of recent calls or messages before another try.
    """

    opening = "Twilio may or may not have done this"
