"""The client for one Twilio account: calls, texts, numbers and the account itself."""

from __future__ import annotations

from typing import Self

import httpx

from twilio_client.api import require, require_sid
from twilio_client.calls import Calls
from twilio_client.connections import Connections, Credentials
from twilio_client.messages import Messages
from twilio_client.messaging_services import MessagingServices
from twilio_client.phone_numbers import PhoneNumbers
from twilio_client.resources import Account, Balance


class TwilioClient(Calls, Messages, MessagingServices, PhoneNumbers):
    """Twilio's REST API for one account, over connections that stay open.

    It signs in with the API key if there is one, else with the auth token. `base_url` is where the
    API is; `timeout` is how many seconds an answer may take; `transport` replaces the network in
    tests, and the caller closes it. The first request opens the first connection, and no request
    is ever sent twice. Use it as `async with TwilioClient(…) as client`, or `close()` it.

    Raise ValueError if the credentials are incomplete or the address is not a URL.
    https://www.twilio.com/docs/iam/api/authentication
    """

    def __init__(
        self,
        account_sid: str,
        auth_token: str | None = None,
        *,
        api_key_sid: str | None = None,
        api_key_secret: str | None = None,
        base_url: str = "https://api.twilio.com",
        transport: httpx.AsyncBaseTransport | None = None,
        timeout: float = 30.0,
    ) -> None:
        has_token, has_secret = bool(auth_token), bool(api_key_secret)
        credentials = Credentials(
            api_key_sid or account_sid, (api_key_secret if api_key_sid else auth_token) or ""
        )
        # Forget the secrets before any check raises: a traceback may show local variables.
        del auth_token, api_key_secret
        connections = Connections(base_url.rstrip("/"), credentials, transport, timeout)
        super().__init__(account_sid, credentials, connections)
        require_sid("account SID", account_sid, "AC")
        require(
            bool(api_key_sid) == has_secret, "An API key needs both api_key_sid and api_key_secret."
        )
        require(has_token or has_secret, "Twilio needs an auth token or an API key.")
        if api_key_sid:
            require_sid("API key SID", api_key_sid, "SK")
        require(timeout > 0, "The timeout must be more than 0 seconds.")
        _require_address(base_url)

    def __repr__(self) -> str:
        return f"TwilioClient({self.account_sid!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close this event loop's connections. A later request opens new ones."""
        await self._connections.close()

    async def fetch_account(self) -> Account:
        """Look up the account: the cheapest way to check the credentials.

        https://www.twilio.com/docs/iam/api/account#fetch-an-account-resource
        """
        return self._read(Account, await self._get(f"{self._account}.json"))

    async def fetch_balance(self) -> Balance:
        """Look up how much money the account has left.

        https://www.twilio.com/docs/usage/api/balance
        """
        return self._read(Balance, await self._get(f"{self._account}/Balance.json"))


def _require_address(base_url: str) -> None:
    sentence = "The address of Twilio's API must look like https://api.twilio.com."
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL:
        raise ValueError(sentence) from None
    usable = url.scheme in {"http", "https"} and url.host and not url.userinfo and not url.query
    require(usable, sentence)
