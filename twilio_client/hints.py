"""Twilio's error codes in plain words: what each means, and what to do about it."""

from __future__ import annotations

_BAD_NUMBER = "Twilio doesn't know this number: check its digits and its country code."
_BAD_CALLER_ID = (
    "Twilio doesn't accept the From number: use a number of this account, or one verified for it."
)
_UNVERIFIED = (
    "A trial account reaches verified numbers only: "
    "verify this number in the Twilio Console, or upgrade the account."
)
_COUNTRY_OFF = (
    "This account may not reach that country: "
    "turn the country on under geographic permissions in the Twilio Console."
)
_CANNOT_TEXT_FROM = (
    "The From number can't send this text: use a number of this account that can send texts there."
)
_NOT_A_MOBILE = "This number can't receive texts: call it, or use a mobile number."
_BAD_URL = (
    "Twilio doesn't accept one of the addresses: "
    "it must be a full https:// address, without an underscore in its host name."
)
_WRONG_CREDENTIALS = (
    "Twilio doesn't accept the credentials: check the account SID and the auth token or API key."
)
_ACCOUNT_OFF = "This Twilio account isn't active: see the Twilio Console for the reason."
_TOO_FAST = "Requests go out faster than this account allows: wait a moment, then send it again."
_NOT_FOUND = "Twilio has nothing under this SID: check the SID and the account it belongs to."
_SERVER_ERROR = (
    "Twilio had an internal error: "
    "look in the list of recent calls and messages before you send it again."
)
_UNREGISTERED = (
    "The From number isn't registered for texts to that country: "
    "register it in the Twilio Console, or use one that is."
)

HINTS: dict[int, str] = {
    # The account
    10001: _ACCOUNT_OFF,
    10002: "A trial account can't do this: upgrade the account in the Twilio Console.",
    10004: "Too many calls are in progress: wait for one to end, then call again.",
    20003: _WRONG_CREDENTIALS,
    20005: _ACCOUNT_OFF,
    20008: "Test credentials can't do this: use the credentials of the live account.",
    20404: _NOT_FOUND,
    20429: _TOO_FAST,
    # Calls
    21201: "The number to call is missing: enter one.",
    21205: _BAD_URL,
    21210: _BAD_CALLER_ID,
    21211: _BAD_NUMBER,
    21212: _BAD_CALLER_ID,
    21213: "The From number is missing: set the number that calls and texts come from.",
    21214: "Twilio can't reach this number: check it, or use another one.",
    21215: _COUNTRY_OFF,
    21216: "This account may not call that number: Twilio blocks it.",
    21217: _BAD_NUMBER,
    21218: "Twilio doesn't know this application SID: check it in the Twilio Console.",
    21219: _UNVERIFIED,
    21220: "This call isn't in progress, so it can't be changed: it has ended or not yet begun.",
    21266: "The text goes to the number it comes from: use another number.",
    # Texts
    21408: _COUNTRY_OFF,
    21601: _CANNOT_TEXT_FROM,
    21602: "The text is empty: write a message.",
    21603: "The From number is missing: set the number that calls and texts come from.",
    21604: "The number to text is missing: enter one.",
    21606: _CANNOT_TEXT_FROM,
    21608: _UNVERIFIED,
    21609: _BAD_URL,
    21610: "They texted STOP to this sender: they must text START before they can be texted again.",
    21611: "Too many texts are waiting to be sent from this number: wait, or use another number.",
    21612: "Twilio can't text this number from yours: use another From number, or call instead.",
    21614: _NOT_A_MOBILE,
    21617: "The text is too long: keep it to 1,600 characters.",
    21635: _NOT_A_MOBILE,
    21659: _CANNOT_TEXT_FROM,
    # The TwiML that Twilio fetches and speaks
    11200: "Twilio couldn't fetch the TwiML: check that its address is open to the internet.",
    12100: "Twilio couldn't read the TwiML: it isn't valid XML.",
    13223: _BAD_NUMBER,
    13224: "Twilio can't call this number: check it, or use another one.",
    13225: "This account may not call that number: Twilio blocks it.",
    13227: _COUNTRY_OFF,
    # The delivery of a text
    30001: "Too many texts were waiting to be sent: send this one again later.",
    30002: _ACCOUNT_OFF,
    30003: "The phone is off, out of reach, or can't receive texts: try again later, or call.",
    30004: "The phone or its network blocks this text: call instead, or ask them to allow it.",
    30005: "This number isn't in use: check its digits.",
    30006: "This number can't receive texts; it may be a landline: call instead.",
    30007: "The phone network took this text for spam: reword it, and leave out shortened links.",
    30008: "The phone network didn't deliver this text and gave no reason: try again, or call.",
    30032: _UNREGISTERED,
    30034: _UNREGISTERED,
}

_STATUS_HINTS = {
    401: _WRONG_CREDENTIALS,
    403: "This account may not do that: check its permissions in the Twilio Console.",
    404: _NOT_FOUND,
    429: _TOO_FAST,
}
_CLASS_HINTS = {
    4: "Twilio doesn't accept one of the values: correct it, then send it again.",
    5: _SERVER_ERROR,
}
_NOT_TWILIO = "This answer isn't from Twilio: check the address of the API."


def hint_for(code: int | None, status: int | None = None) -> str:
    """Return one sentence that says what a failure means and what to do.

    `code` is Twilio's error code (https://www.twilio.com/docs/api/errors), `status` the HTTP
    status. Twilio's codes change, so an unknown code falls back to the status.
    """
    if code is not None and code in HINTS:
        return HINTS[code]
    if status is None:
        return "See the log in the Twilio Console for what happened."
    return _STATUS_HINTS.get(status) or _CLASS_HINTS.get(status // 100, _NOT_TWILIO)
