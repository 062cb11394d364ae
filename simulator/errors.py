"""The two kinds of refusals at Twilio: of a request, and of a TwiML document."""

from __future__ import annotations


class ApiError(Exception):
    """A REST request refused, as Twilio refuses it.

    `code` is Twilio's (https://www.twilio.com/docs/api/errors), `status` the HTTP status.
    """

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status

    def to_json(self) -> dict[str, object]:
        """The error body. https://www.twilio.com/docs/usage/twilios-response#exceptions"""
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }


def not_found(path: str) -> ApiError:
    """Return the refusal for a resource that doesn't exist or belongs to another account."""
    return ApiError(20404, f"The requested resource {path} was not found", status=404)


class TwimlError(Exception):
    """Instructions that Twilio can't fetch or follow; it apologizes to the listener and hangs up.

    `code` is Twilio's (11200, 12100 and so on), `url` the document's address if it has one.
    """

    def __init__(self, code: int, message: str, url: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.url = url
