"""Who may sign in."""

from __future__ import annotations

import pytest
from twilio.base.exceptions import TwilioRestException

from simulator import SIMULATOR_ACCOUNT_SID, SIMULATOR_AUTH_TOKEN
from simulator.app import create_app
from tests.support.simulator_line import Line, simulator_line
from tests.support.twilio_schemas import assert_is

ACCOUNT = f"/2010-04-01/Accounts/{SIMULATOR_ACCOUNT_SID}.json"
OTHER = "AC" + "b" * 32


@pytest.fixture(scope="module")
def line():
    with simulator_line() as opened:
        yield opened


@pytest.fixture(scope="module")
def locked():
    with simulator_line(
        account_sid=SIMULATOR_ACCOUNT_SID, auth_token=SIMULATOR_AUTH_TOKEN
    ) as opened:
        yield opened


def test_the_account_is_fetched(locked: Line):
    fetched = locked.twilio.api.v2010.accounts(SIMULATOR_ACCOUNT_SID).fetch()
    assert (fetched.sid, fetched.status, fetched.type) == (SIMULATOR_ACCOUNT_SID, "active", "Full")
    answer = locked.http.get(ACCOUNT)
    assert_is("api.v2010.account", answer.json())
    assert SIMULATOR_AUTH_TOKEN not in answer.text


@pytest.mark.parametrize(
    "credentials",
    [None, (SIMULATOR_ACCOUNT_SID, "wrong"), (OTHER, SIMULATOR_AUTH_TOKEN), ("", ""), ("é", "ß")],
)
def test_wrong_credentials(locked: Line, credentials):
    # A function in place of credentials keeps httpx from adding the client's own.
    answer = locked.http.get(ACCOUNT, auth=credentials or (lambda request: request))
    assert answer.status_code == 401
    assert answer.json()["code"] == 20003
    assert answer.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic /w==", "Bearer abc"])
def test_a_malformed_header(locked: Line, header: str):
    def send(request):
        request.headers["Authorization"] = header
        return request

    assert locked.http.get(ACCOUNT, auth=send).status_code == 401


def test_twilios_package_says_it_too(locked: Line):
    wrong = type(locked.twilio)(
        SIMULATOR_ACCOUNT_SID, "wrong", http_client=locked.twilio.http_client
    )
    with pytest.raises(TwilioRestException) as refusal:
        wrong.calls.create(to="+14125550199", from_="+15005550006", twiml="<Response/>")
    assert (refusal.value.status, refusal.value.code) == (401, 20003)


def test_another_account_stays_closed(locked: Line):
    assert locked.http.get(f"/2010-04-01/Accounts/{OTHER}/Calls.json").status_code == 401


def test_the_controls_are_closed_as_well(locked: Line):
    sid = locked.place()
    for path in ("/simulator/log", f"/simulator/calls/{sid}"):
        assert locked.http.get(path).status_code == 200
        assert locked.http.get(path, auth=("x", "y")).status_code == 401


def test_without_an_account_every_account_may_come(line: Line):
    path = f"/2010-04-01/Accounts/{OTHER}.json"
    assert line.http.get(path, auth=(OTHER, "anything")).json()["sid"] == OTHER
    assert line.http.get(path).status_code == 401  # those are another account's credentials
    assert line.http.get("/2010-04-01/Accounts/ACx.json", auth=("ACx", "")).status_code == 401


def test_the_first_password_is_the_token():
    path = f"/2010-04-01/Accounts/{OTHER}.json"
    with simulator_line() as own:
        assert own.http.get(path, auth=(OTHER, "first")).status_code == 200
        refusal = own.http.get(path, auth=(OTHER, "second"))
        assert (refusal.status_code, refusal.json()["code"]) == (401, 20003)
        assert own.http.get(path, auth=(OTHER, "first")).status_code == 200
        another = "AC" + "d" * 32
        path = f"/2010-04-01/Accounts/{another}.json"
        assert own.http.get(path, auth=(another, "second")).status_code == 200


def test_an_api_key_belongs_to_the_account_that_it_opens_first():
    key = "SK" + "c" * 32
    path = f"/2010-04-01/Accounts/{OTHER}.json"
    with simulator_line() as own:
        refusal = own.http.get(path, auth=(key, "secret"))
        assert (refusal.status_code, refusal.json()["code"]) == (401, 20003)
        own.http.get(path, auth=(OTHER, "token"))
        own.http.get(ACCOUNT)
        assert own.http.get(path, auth=(key, "secret")).json()["sid"] == OTHER
        assert own.http.get(path, auth=(key, "wrong")).status_code == 401
        assert own.http.get(ACCOUNT, auth=(key, "secret")).status_code == 401


@pytest.mark.parametrize(
    "options",
    [
        {"account_sid": SIMULATOR_ACCOUNT_SID},
        {"auth_token": "token"},
        {"account_sid": "AC1", "auth_token": "token"},
        {"account_sid": SIMULATOR_ACCOUNT_SID, "auth_token": ""},
        {"api_key_sid": "SK" + "c" * 32, "api_key_secret": "secret"},
        {
            "account_sid": SIMULATOR_ACCOUNT_SID,
            "auth_token": "token",
            "api_key_sid": "SK" + "c" * 32,
        },
        {
            "account_sid": SIMULATOR_ACCOUNT_SID,
            "auth_token": "token",
            "api_key_sid": "SK1",
            "api_key_secret": "secret",
        },
        {"from_number": "nobody"},
        {"speed": -1},
        {"speed": float("nan")},
    ],
)
def test_unusable_settings_are_one_sentence(options):
    with pytest.raises(ValueError, match=r"\w\.$"):
        create_app(**options)
