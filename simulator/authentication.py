"""Who may use the simulator: HTTP basic authentication, as Twilio does it.

https://www.twilio.com/docs/iam/api/authentication
"""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass, field

from starlette.requests import Request

from simulator.errors import ApiError
from simulator.sids import is_account_sid, is_api_key_sid

SIMULATOR_ACCOUNT_SID = "AC51a1051a1051a1051a1051a1051a1051"
"""The account that the app uses when no real one is set."""

SIMULATOR_AUTH_TOKEN = "no-secret-for-the-simulator"  # noqa: S105 - guards nothing
"""The auth token that goes with it."""


@dataclass(frozen=True)
class Credentials:
    """The one account that may come in and its auth token."""

    account_sid: str
    auth_token: str = field(repr=False)

    def __post_init__(self) -> None:
        if not is_account_sid(self.account_sid):
            raise ValueError("The account SID must be AC and 32 hexadecimal digits.")
        if not self.auth_token:
            raise ValueError("The auth token must not be empty.")


def require_account(request: Request, account_sid: str) -> None:
    """Raise a 401 ApiError unless the request comes from `account_sid`.

    Without configured credentials every well-formed account SID is an account of its own, with
    any password or API key.
    """
    credentials: Credentials | None = request.app.state.credentials
    user, password = _user_and_password(request)
    if credentials is None:
        if not is_account_sid(account_sid) or not (user == account_sid or is_api_key_sid(user)):
            raise _unauthorized("Authenticate")
    elif account_sid != credentials.account_sid or not _match(credentials, user, password):
        raise _unauthorized("Authenticate")


def require_owner(request: Request) -> None:
    """Raise a 401 ApiError unless the configured account asks; without one, anybody may."""
    credentials: Credentials | None = request.app.state.credentials
    if credentials is not None:
        require_account(request, credentials.account_sid)


def _match(credentials: Credentials, user: str, password: str) -> bool:
    return secrets.compare_digest(
        f"{user}:{password}".encode(),
        f"{credentials.account_sid}:{credentials.auth_token}".encode(),
    )


def _user_and_password(request: Request) -> tuple[str, str]:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        raise _unauthorized("Authentication Error - No credentials provided")
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        # from None: the exception would carry what may be a password.
        raise _unauthorized("Authenticate") from None
    user, _, password = decoded.partition(":")
    return user, password


def _unauthorized(message: str) -> ApiError:
    return ApiError(20003, message, status=401)
