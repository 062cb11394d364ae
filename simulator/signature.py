"""Signing requests as Twilio does. https://www.twilio.com/docs/usage/security"""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import parse_qsl

import httpx

HEADER = "X-Twilio-Signature"


class Signer:
    """Signs with each account's auth token; `default_token` is for accounts that showed none."""

    def __init__(self, default_token: str) -> None:
        self._default_token = default_token
        self._tokens: dict[str, str] = {}

    def first_token(self, account_sid: str, token: str) -> str:
        """The account's token: `token` from now on, if it has shown none."""
        return self._tokens.setdefault(account_sid, token)

    def knows(self, account_sid: str) -> bool:
        """Whether the account has shown its token."""
        return account_sid in self._tokens

    def sign(self, account_sid: str, request: httpx.Request) -> None:
        """Put the signature on `request`, whose body has been read."""
        # The server never sees a user, a password or a fragment.
        url = str(request.url.copy_with(userinfo=b"", fragment=None))
        form = parse_qsl(request.content.decode(), keep_blank_values=True)
        signed = url + "".join(name + value for name, value in sorted(form))
        token = self._tokens.get(account_sid, self._default_token)
        digest = hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()
        request.headers[HEADER] = base64.b64encode(digest).decode()
