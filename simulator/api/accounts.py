"""The Account and Balance resources. https://www.twilio.com/docs/iam/api/account"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.api.authentication import account_of, signed_in
from simulator.api.forms import Form, read_form, read_friendly_name, read_query
from simulator.api.lists import list_page, matches_text
from simulator.api.resources import exchange_of, rfc_2822, subresource_uris
from simulator.errors import ApiError
from simulator.models.account import Account
from simulator.models.sids import API_VERSION

_STATUSES = ("active", "suspended", "closed")
_SUBRESOURCES = (
    "AvailablePhoneNumbers",
    "Calls",
    "Conferences",
    "IncomingPhoneNumbers",
    "Notifications",
    "OutgoingCallerIds",
    "Recordings",
    "Transcriptions",
    "Addresses",
    "SigningKeys",
    "ConnectApps",
    "SIP",
    "AuthorizedConnectApps",
    "Usage",
    "Keys",
    "Applications",
    "Queues",
    "Messages",
    "Balance",
)


async def accounts(request: Request) -> Response:
    """GET lists the accounts that these credentials open: one, as there are no subaccounts."""
    account, query = signed_in(request), read_query(request)
    is_wanted = matches_text(query, "FriendlyName", account.friendly_name) and matches_text(
        query, "Status", account.status
    )
    found = [account] if is_wanted else []
    path = f"/{API_VERSION}/Accounts.json"
    return JSONResponse(list_page(found, "accounts", path, query, _to_json))


async def account(request: Request) -> Response:
    """GET fetches the account; POST renames, suspends, reactivates or closes it."""
    found = account_of(request)
    if request.method == "POST":
        _change(found, await read_form(request))
        found.date_updated = exchange_of(request).clock.now()
    return JSONResponse(_to_json(found))


async def balance(request: Request) -> Response:
    """GET tells how much money is left. https://www.twilio.com/docs/usage/api/balance"""
    found, exchange = account_of(request), exchange_of(request)
    calls, messages = exchange.calls.values(), exchange.messages.values()
    spent = sum(call.price for call in calls if call.account_sid == found.sid)
    spent += sum(message.price for message in messages if message.account_sid == found.sid)
    return JSONResponse(
        {
            "account_sid": found.sid,
            "balance": f"{found.opening_balance - spent:.4f}",
            "currency": "USD",
        }
    )


def _change(account: Account, form: Form) -> None:
    friendly_name, status = read_friendly_name(form), form.get("Status")
    if status and status not in _STATUSES:
        raise ApiError(20001, f"Status must be {', '.join(_STATUSES)}.")
    if status and account.status == "closed":
        raise ApiError(20001, "A closed account can't be opened again.")
    account.friendly_name = friendly_name or account.friendly_name
    account.status = status or account.status


def _to_json(account: Account) -> dict[str, object]:
    """https://www.twilio.com/docs/iam/api/account#account-properties; the token stays hidden."""
    return {
        "sid": account.sid,
        "owner_account_sid": account.sid,
        "friendly_name": account.friendly_name,
        "status": account.status,
        "type": "Trial" if account.on_trial else "Full",
        "auth_token": None,
        "date_created": rfc_2822(account.date_created),
        "date_updated": rfc_2822(account.date_updated),
        "uri": f"{account.path}.json",
        "subresource_uris": subresource_uris(account.path, _SUBRESOURCES),
    }


ACCOUNT_ROUTES = (
    Route("/2010-04-01/Accounts.json", accounts, methods=["GET"]),
    Route("/2010-04-01/Accounts/{account_sid}.json", account, methods=["GET", "POST"]),
    Route("/2010-04-01/Accounts/{account_sid}/Balance.json", balance, methods=["GET"]),
)
