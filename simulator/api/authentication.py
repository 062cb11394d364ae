"""Who may use the simulator: HTTP basic authentication, as Twilio does it.

https://www.twilio.com/docs/iam/api/authentication
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from secrets import compare_digest

from starlette.requests import Request

from simulator.errors import ApiError
from simulator.exchange import Exchange
from simulator.first_passwords import FirstPasswords
from simulator.models.account import Account, Accounts
from simulator.models.sids import is_account_sid, is_api_key_sid

SIMULATOR_ACCOUNT_SID = "AC51a1051a1051a1051a1051a1051a1051"
"""The account that the app uses when no real one is set."""

SIMULATOR_AUTH_TOKEN = "no-secret-for-the-simulator"  # noqa: S105 - guards nothing
"""The auth token that goes with it."""


@dataclass(frozen=True)
class Credentials:
    """The one account that may come in: its auth token, and an API key if there is one."""

    account_sid: str
    auth_token: str = field(repr=False)
    api_key_sid: str | None = None
    api_key_secret: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not is_account_sid(self.account_sid):
            raise ValueError("The account SID must be AC and 32 hexadecimal digits.")
        if not self.auth_token:
            raise ValueError("The auth token must not be empty.")
        if (self.api_key_sid is None) != (not self.api_key_secret):
            raise ValueError("Set both the API key's SID and its secret, or neither.")
        if self.api_key_sid is not None and not is_api_key_sid(self.api_key_sid):
            raise ValueError("The API key's SID must be SK and 32 hexadecimal digits.")

    def match(self, user: str, password: str) -> bool:
        """Whether these are the account SID and its token, or the API key and its secret."""
        pairs = [(self.account_sid, self.auth_token), (self.api_key_sid, self.api_key_secret)]
        given = f"{user}:{password}".encode()
        found = [compare_digest(given, f"{sid}:{secret}".encode()) for sid, secret in pairs if sid]
        return any(found)


def read_credentials(
    account_sid: str | None,
    auth_token: str | None,
    api_key_sid: str | None,
    api_key_secret: str | None,
) -> Credentials | None:
    """Who may come in; None if nothing is set. Raises ValueError for half of a pair."""
    if (account_sid is None) != (auth_token is None):
        raise ValueError("Set both the account SID and the auth token, or neither.")
    if account_sid is None or auth_token is None:
        if api_key_sid is not None or api_key_secret is not None:
            raise ValueError("An API key needs the account SID and the auth token as well.")
        return None
    return Credentials(account_sid, auth_token, api_key_sid, api_key_secret)


def account_of(request: Request) -> Account:
    """The account in the request's path. Raises a 401 ApiError unless it is the one that asks.

    Without configured credentials every well-formed account SID is an account of its own, with
    the first password that it comes in with.
    """
    account_sid: str = request.path_params["account_sid"]
    require_account(request, account_sid)
    return _accounts(request).of(account_sid)


def signed_in(request: Request) -> Account:
    """The account that asks, if the path names none. Raises a 401 ApiError."""
    credentials: Credentials | None = request.app.state.credentials
    user, _ = _user_and_password(request)
    account_sid = user if credentials is None else credentials.account_sid
    require_account(request, account_sid)
    return _accounts(request).of(account_sid)


def user_of(request: Request) -> str | None:
    """The account or API key that a request says it comes from; None if it is neither's SID."""
    try:
        user, _ = _user_and_password(request)
    except ApiError:
        return None
    return user if is_account_sid(user) or is_api_key_sid(user) else None


def require_active(account: Account) -> None:
    """Raise a 403 ApiError for an account that was suspended or closed."""
    if account.status != "active":
        raise ApiError(20005, f"Account {account.sid} is not active", status=403)


def require_account(request: Request, account_sid: str) -> None:
    """Raise a 401 ApiError unless the request comes from `account_sid`."""
    credentials: Credentials | None = request.app.state.credentials
    user, password = _user_and_password(request)
    if credentials is None:
        first_passwords: FirstPasswords = request.app.state.first_passwords
        is_welcome = first_passwords.match(account_sid, user, password)
    else:
        is_welcome = account_sid == credentials.account_sid and credentials.match(user, password)
    if not is_welcome:
        raise _unauthorized("Authenticate")


def require_owner(request: Request) -> None:
    """Raise a 401 ApiError unless the configured account asks; without one, anybody may."""
    credentials: Credentials | None = request.app.state.credentials
    if credentials is not None:
        require_account(request, credentials.account_sid)


def _accounts(request: Request) -> Accounts:
    exchange: Exchange = request.app.state.exchange
    return exchange.accounts


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
