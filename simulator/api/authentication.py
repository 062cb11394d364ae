"""Who may use the simulator: HTTP basic authentication, as Twilio does it.

https://www.twilio.com/docs/iam/api/authentication
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from secrets import compare_digest

from starlette.requests import Request

from simulator.api.resources import exchange_of
from simulator.errors import ApiError
from simulator.http_client import Signer
from simulator.models.account import Account
from simulator.models.sids import is_account_sid, is_api_key_sid


@dataclass(frozen=True)
class Credentials:
    """The one account that may sign in: its auth token, and an API key if there is one."""

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
    """Check who may sign in; None if nothing is set. Raises ValueError for half of a pair."""
    if (account_sid is None) != (auth_token is None):
        raise ValueError("Set both the account SID and the auth token, or neither.")
    if account_sid is None or auth_token is None:
        if api_key_sid is not None or api_key_secret is not None:
            raise ValueError("An API key needs the account SID and the auth token as well.")
        return None
    return Credentials(account_sid, auth_token, api_key_sid, api_key_secret)


def account_of(request: Request) -> Account:
    """Return the account in the request's path. Raises a 401 ApiError unless it is signed in.

    Without configured credentials every well-formed account SID is an account of its own, whose
    password is the first one it was used with.
    """
    account_sid: str = request.path_params["account_sid"]
    require_account(request, account_sid)
    return exchange_of(request).accounts.get(account_sid)


def signed_in(request: Request) -> Account:
    """Return the account that is signed in, where the path names none. Raises a 401 ApiError."""
    credentials: Credentials | None = request.app.state.credentials
    user, _ = _user_and_password(request)
    account_sid = user if credentials is None else credentials.account_sid
    require_account(request, account_sid)
    return exchange_of(request).accounts.get(account_sid)


def user_of(request: Request) -> str | None:
    """Return the SID of an account or API key that a request says it comes from, or None."""
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
        is_allowed = first_passwords.match(account_sid, user, password)
    else:
        is_allowed = account_sid == credentials.account_sid and credentials.match(user, password)
    if not is_allowed:
        raise _unauthorized("Authenticate")


def require_owner(request: Request) -> None:
    """Raise a 401 ApiError unless the request comes from the configured account, if one is."""
    credentials: Credentials | None = request.app.state.credentials
    if credentials is not None:
        require_account(request, credentials.account_sid)


def _user_and_password(request: Request) -> tuple[str, str]:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        raise _unauthorized("Authentication Error - No credentials provided")
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        # from None, because the exception would contain what may be a password.
        raise _unauthorized("Authenticate") from None
    user, _, password = decoded.partition(":")
    return user, password


def _unauthorized(message: str) -> ApiError:
    return ApiError(20003, message, status=401)


class FirstPasswords:
    """Passwords where no account is configured: an account's first one is its token from then on.

    In the same way an API key belongs to the first known account that it is used for.
    """

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._keys: dict[str, tuple[str, str]] = {}

    def match(self, account_sid: str, user: str, password: str) -> bool:
        """Whether `user`, an account or an API key, may use the account."""
        if not is_account_sid(account_sid):
            return False
        if user == account_sid:
            return _is_same(self._signer.first_token(account_sid, password), password)
        if not is_api_key_sid(user) or not self._signer.has_token(account_sid):
            return False
        owner, secret = self._keys.setdefault(user, (account_sid, password))
        return owner == account_sid and _is_same(secret, password)


def _is_same(known: str, given: str) -> bool:
    return compare_digest(known.encode(), given.encode())
