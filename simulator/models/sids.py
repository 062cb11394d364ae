"""Twilio's string identifiers, and the paths that hold them.

https://www.twilio.com/docs/glossary/what-is-a-sid
"""

from __future__ import annotations

import hashlib
import re
import secrets

API_VERSION = "2010-04-01"


def new_sid(prefix: str) -> str:
    """Return a SID that was never used before: `prefix` (`CA`, `SM`) and 32 hexadecimal digits."""
    return prefix + secrets.token_hex(16)


def number_sid(account_sid: str, number: str, prefix: str = "PN") -> str:
    """Return the SID of a telephone number (E.164) in an account: always the same for both.

    A short code has the `prefix` SC.
    """
    digest = hashlib.sha256(f"{account_sid} {number}".encode())
    return f"{prefix}{digest.hexdigest()[:32]}"


def account_path(account_sid: str) -> str:
    """Return the path of an account in the REST API, without `.json`."""
    return f"/{API_VERSION}/Accounts/{account_sid}"


def is_sid(text: str, prefix: str) -> bool:
    """Whether `text` is a well-formed SID of the kind that `prefix` stands for."""
    return re.fullmatch(rf"{prefix}[0-9a-fA-F]{{32}}", text) is not None


def is_account_sid(text: str) -> bool:
    """Whether `text` is a well-formed account SID."""
    return is_sid(text, "AC")


def is_api_key_sid(text: str) -> bool:
    """Whether `text` is a well-formed API key SID."""
    return is_sid(text, "SK")
