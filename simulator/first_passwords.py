"""Who may come in where no account is configured: whoever has the password that came first."""

from __future__ import annotations

from secrets import compare_digest

from simulator.models.sids import is_account_sid, is_api_key_sid
from simulator.signature import Signer


class FirstPasswords:
    """The first password that an account comes in with is its token from then on.

    In the same way an API key belongs to the first known account that it opens.
    """

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._keys: dict[str, tuple[str, str]] = {}

    def match(self, account_sid: str, user: str, password: str) -> bool:
        """Whether `user`, an account or an API key, opens the account."""
        if not is_account_sid(account_sid):
            return False
        if user == account_sid:
            return _is_same(self._signer.first_token(account_sid, password), password)
        if not is_api_key_sid(user) or not self._signer.knows(account_sid):
            return False
        owner, secret = self._keys.setdefault(user, (account_sid, password))
        return owner == account_sid and _is_same(secret, password)


def _is_same(known: str, given: str) -> bool:
    return compare_digest(known.encode(), given.encode())
