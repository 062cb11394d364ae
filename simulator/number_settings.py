"""What can be set for a telephone number: its fields in JSON, what they are at first, and how
each is read.

https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource
"""

from __future__ import annotations

from collections.abc import Callable

from simulator.api.forms import Form
from simulator.api.resources import snake_case
from simulator.errors import ApiError
from simulator.models.sids import API_VERSION, is_sid
from simulator.models.webhooks import is_web_address

_Reader = Callable[[str, str], object]


def read_number_settings(form: Form) -> dict[str, object]:
    """The settings in `form`, under their names in JSON; an empty one becomes what it was at first.

    Raises ApiError.
    """
    return {
        snake_case(name): read(name, form.get(name))
        for name, read in _READERS.items()
        if name in form
    }


def _url(name: str, text: str) -> str:
    if text and not is_web_address(text):
        raise ApiError(21402, f"{name} is not a valid URL: {text}")
    return text


def _method(name: str, text: str) -> str:
    method = text.upper() or "POST"
    if method not in {"GET", "POST"}:
        raise ApiError(21403, f"{name} must be GET or POST.")
    return method


def _sid(prefix: str) -> _Reader:
    def read(name: str, text: str) -> str | None:
        if text and not is_sid(text, prefix):
            raise ApiError(20001, f"{name} is not a SID: {text}")
        return text or None

    return read


def _choice(*choices: str) -> _Reader:
    def read(name: str, text: str) -> str:
        if text and text not in choices:
            raise ApiError(20001, f"{name} must be {' or '.join(choices)}.")
        return text or choices[0]

    return read


def _flag(name: str, text: str) -> bool:
    return text.lower() == "true"


_READERS: dict[str, _Reader] = {
    "ApiVersion": _choice(API_VERSION, "2008-08-01"),
    "VoiceApplicationSid": _sid("AP"),
    "VoiceCallerIdLookup": _flag,
    "VoiceFallbackMethod": _method,
    "VoiceFallbackUrl": _url,
    "VoiceMethod": _method,
    "VoiceReceiveMode": _choice("voice", "fax"),
    "VoiceUrl": _url,
    "SmsApplicationSid": _sid("AP"),
    "SmsFallbackMethod": _method,
    "SmsFallbackUrl": _url,
    "SmsMethod": _method,
    "SmsUrl": _url,
    "StatusCallback": _url,
    "StatusCallbackMethod": _method,
    "TrunkSid": _sid("TK"),
    "IdentitySid": _sid("RI"),
    "AddressSid": _sid("AD"),
    "BundleSid": _sid("BU"),
    "EmergencyStatus": _choice("Active", "Inactive"),
    "EmergencyAddressSid": _sid("AD"),
}
FIRST_SETTINGS = {snake_case(name): read(name, "") for name, read in _READERS.items()}
"""The settings of a number that was just bought."""
