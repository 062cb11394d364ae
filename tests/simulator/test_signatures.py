"""Twilio's own validator judges what the simulator's requests are signed with."""

from __future__ import annotations

import pytest
from starlette.responses import RedirectResponse
from twilio.request_validator import RequestValidator

from simulator import SIMULATOR_AUTH_TOKEN
from tests.support.document_server import Asked, Documents
from tests.support.simulator_line import Line, simulator_line

HELLO = "<Response><Say>Grüße &amp; more</Say></Response>"


@pytest.fixture(scope="module")
def line():
    with simulator_line() as opened:
        yield opened


def is_signed(asked: Asked, token: str = SIMULATOR_AUTH_TOKEN) -> bool:
    return bool(RequestValidator(token).validate(asked.url, dict(asked.form), asked.signature))


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("query", ["", "?a=b%20c&a=%C3%BC&empty="])
def test_documents_are_asked_for_with_a_signature(line: Line, documents: Documents, method, query):
    path = f"/signed-{method}.xml"
    documents.requests.clear()
    line.finished(line.place(url=documents.put(path, HELLO) + query, method=method))
    (asked,) = documents.asked(path)
    assert asked.method == method
    assert is_signed(asked)
    assert not is_signed(asked, "another token")


def test_status_callbacks_are_signed(line: Line, documents: Documents):
    told = documents.put("/told", "")
    line.place(status_callback=told)
    line.place(status_callback=told, status_callback_method="GET")
    for asked in documents.wait_for("/told", 2):
        assert is_signed(asked)


def test_what_the_server_never_sees_is_not_signed(line: Line, documents: Documents):
    address = documents.put("/private.xml", HELLO).replace("://", "://user:word@") + "#rc=2"
    line.finished(line.place(url=address))
    assert is_signed(documents.asked("/private.xml")[0])


def test_each_redirect_has_a_signature_of_its_own(line: Line, documents: Documents):
    documents.answers["/first"] = RedirectResponse(documents.put("/second.xml", HELLO), 307)
    line.finished(line.place(url=documents.url + "/first"))
    assert is_signed(documents.asked("/first")[0])
    assert is_signed(documents.asked("/second.xml")[0])


def test_the_first_password_signs_even_after_a_wrong_one(documents: Documents):
    sid = "AC" + "2" * 32
    path = f"/2010-04-01/Accounts/{sid}"
    with simulator_line() as line:
        url = documents.put("/first-password.xml", HELLO)
        data = {"To": "+14125550199", "From": "+17248675309", "Url": url}
        assert line.http.get(f"{path}.json", auth=(sid, "first")).status_code == 200
        assert line.http.get(f"{path}.json", auth=(sid, "wrong")).status_code == 401
        placed = line.http.post(f"{path}/Calls.json", data=data, auth=(sid, "first"))
        assert placed.status_code == 201
        (asked,) = documents.wait_for("/first-password.xml", 1)
    assert is_signed(asked, "first")


def test_the_configured_token_signs(documents: Documents):
    sid, token = "AC" + "1" * 32, "configured"
    with simulator_line(account_sid=sid, auth_token=token) as line:
        data = {"To": "+14125550199", "From": "+17248675309"}
        url = documents.put("/configured.xml", HELLO)
        path = f"/2010-04-01/Accounts/{sid}/Calls.json"
        answer = line.http.post(path, data=data | {"Url": url}, auth=(sid, token))
        assert answer.status_code == 201
        (asked,) = documents.wait_for("/configured.xml", 1)
    assert is_signed(asked, token)
