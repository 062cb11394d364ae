"""Twilio's string identifiers. https://www.twilio.com/docs/glossary/what-is-a-sid"""

from __future__ import annotations

import re
import secrets

_ACCOUNT_SID = re.compile(r"AC[0-9a-fA-F]{32}")
_API_KEY_SID = re.compile(r"SK[0-9a-fA-F]{32}")
_MESSAGING_SERVICE_SID = re.compile(r"MG[0-9a-fA-F]{32}")


def new_sid(prefix: str) -> str:
    """A SID that was never used before: two letters (`CA`, `SM`) and 32 hexadecimal digits."""
    return prefix + secrets.token_hex(16)


def is_account_sid(text: str) -> bool:
    """Whether `text` is a well-formed account SID."""
    return _ACCOUNT_SID.fullmatch(text) is not None


def is_api_key_sid(text: str) -> bool:
    """Whether `text` is a well-formed API key SID."""
    return _API_KEY_SID.fullmatch(text) is not None


def is_messaging_service_sid(text: str) -> bool:
    """Whether `text` is a well-formed Messaging Service SID."""
    return _MESSAGING_SERVICE_SID.fullmatch(text) is not None
