"""The same resources in XML, which is Twilio's default, and lists as CSV."""

from __future__ import annotations

import csv
import io
from xml.etree.ElementTree import Element

import httpx
import pytest
from defusedxml.ElementTree import fromstring
from starlette.applications import Starlette
from starlette.routing import Mount

from simulator import SIMULATOR_ACCOUNT_SID, SIMULATOR_AUTH_TOKEN, SIMULATOR_FROM_NUMBER
from simulator.app import create_app
from tests.support.servers import serve
from tests.support.simulator_line import TO, Line, simulator_line

PATH = f"/2010-04-01/Accounts/{SIMULATOR_ACCOUNT_SID}"
CALL = {"To": TO, "From": SIMULATOR_FROM_NUMBER, "Twiml": "<Response/>"}
TEXT = {"To": TO, "From": SIMULATOR_FROM_NUMBER, "Body": "Tom & <Jerry>\x0b\x00 👍"}


@pytest.fixture(scope="module")
def line():
    with simulator_line() as opened:
        yield opened


def xml(answer: httpx.Response, status: int = 200) -> Element:
    """The one element inside TwilioResponse."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/xml")
    root: Element = fromstring(answer.content)
    assert root.tag == "TwilioResponse"
    (inner,) = root
    return inner


def values(element: Element) -> dict[str, str | None]:
    return {child.tag: child.text for child in element}


@pytest.mark.parametrize("ending", ["", ".xml"])
def test_a_record(line: Line, ending: str):
    placed = xml(line.http.post(f"{PATH}/Calls{ending}", data=CALL), 201)
    sid = placed.findtext("Sid")
    line.finished(str(sid))
    fetched = xml(line.http.get(f"{PATH}/Calls/{sid}{ending}"))
    assert (placed.tag, fetched.tag) == ("Call", "Call")
    json = line.http.get(f"{PATH}/Calls/{sid}.json").json()
    written = values(fetched)
    assert len(written) == len(json)
    assert (written["Status"], written["To"], written["ForwardedFrom"]) == ("completed", TO, None)
    assert written["Uri"] == f"{PATH}/Calls/{sid}"
    assert fetched.findtext("SubresourceUris/Notifications") == f"{PATH}/Calls/{sid}/Notifications"
    ended = line.http.post(f"{PATH}/Calls/{sid}{ending}", data={"StatusCallback": "https://a.b/"})
    assert xml(ended).findtext("Sid") == sid
    assert line.http.delete(f"{PATH}/Calls/{sid}{ending}").status_code == 204
    assert xml(line.http.get(f"{PATH}/Calls/{sid}{ending}"), 404).tag == "RestException"


def test_what_xml_cannot_hold_is_replaced(line: Line):
    sent = xml(line.http.post(f"{PATH}/Messages", data=TEXT), 201)
    assert (sent.tag, sent.findtext("Body")) == ("Message", "Tom & <Jerry>\ufffd\ufffd 👍")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("", "Account"),
        ("/Balance", "Balance"),
        ("/Usage", "Usage"),
        ("/SIP", "SIP"),
    ],
)
def test_the_names_of_single_records(line: Line, path: str, name: str):
    assert xml(line.http.get(f"{PATH}{path}")).tag == name


def test_a_verification_is_named_otherwise(line: Line):
    data = {"PhoneNumber": "+14125550150"}
    assert xml(line.http.post(f"{PATH}/OutgoingCallerIds", data=data)).tag == "ValidationRequest"


@pytest.mark.parametrize(
    ("path", "names", "record"),
    [
        ("/2010-04-01/Accounts", "Accounts", "Account"),
        (f"{PATH}/IncomingPhoneNumbers", "IncomingPhoneNumbers", "IncomingPhoneNumber"),
        (f"{PATH}/Addresses", "Addresses", None),
        (f"{PATH}/Usage/Records", "UsageRecords", None),
        (f"{PATH}/AvailablePhoneNumbers", "Countries", None),
    ],
)
def test_the_names_of_lists(line: Line, path: str, names: str, record: str | None):
    listed = xml(line.http.get(path))
    assert (listed.tag, {child.tag for child in listed}) == (names, {record} - {None})


def test_pages_lead_to_each_other():
    with simulator_line() as own:
        for _ in range(3):
            own.place()
        first = xml(own.http.get(f"{PATH}/Calls?PageSize=2"))
        assert [child.tag for child in first] == ["Call", "Call"]
        assert (first.get("page"), first.get("pagesize"), first.get("end")) == ("0", "2", "1")
        assert first.get("previouspageuri") == ""
        second = xml(own.http.get(str(first.get("nextpageuri"))))
        assert (len(second), second.get("nextpageuri")) == (1, "")
        assert xml(own.http.get(str(second.get("previouspageuri"))))[0].findtext("Sid")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/Calls/CA0", 404, "20404"),
        ("GET", "/Nothing", 404, "20404"),
        ("GET", "/Balance.csv", 404, "20404"),
        ("POST", "/Calls", 400, "21201"),
        ("PUT", "/Calls", 405, "20004"),
        ("GET", "/Calls.csv?PageSize=0", 400, "20001"),
    ],
)
def test_refusals(line: Line, method: str, path: str, status: int, code: str):
    refusal = xml(line.http.request(method, f"{PATH}{path}"), status)
    assert refusal.tag == "RestException"
    assert (refusal.findtext("Code"), refusal.findtext("Status")) == (code, str(status))
    if status == 404:
        assert f"{PATH}{path} was" in str(refusal.findtext("Message"))


def test_who_is_not_signed_in_is_told_how(line: Line):
    answer = httpx.get(f"{line.base_url}{PATH}/Calls")
    assert xml(answer, 401).findtext("Code") == "20003"
    assert answer.headers["www-authenticate"].startswith("Basic")


def test_a_list_as_csv():
    with simulator_line() as own:
        own.http.post(f"{PATH}/Messages.json", data=TEXT | {"Body": 'a, "b"\nc'})
        answer = own.http.get(f"{PATH}/Messages.csv")
        assert answer.headers["content-type"].startswith("text/csv")
        (row,) = csv.DictReader(io.StringIO(answer.text, newline=""))
        assert (row["Body"], row["To"], row["ErrorCode"]) == ('a, "b"\nc', TO, "")
        assert "SubresourceUris" not in row
        assert own.http.get(f"{PATH}/Calls.csv").text == ""


def test_faults_and_the_log_know_it_by_its_path(line: Line):
    fault = {"kind": "429", "path": "*/Calls.json", "retry_after": 7}
    line.http.post("/simulator/faults", json=fault)
    answer = line.http.post(f"{PATH}/Calls", data=CALL)
    assert xml(answer, 429).findtext("Code") == "20429"
    assert answer.headers["retry-after"] == "7"
    entry = [e for e in line.http.get("/simulator/log").json() if e["direction"] == "in"][-1]
    assert (entry["path"], entry["fault"]) == (f"{PATH}/Calls", "429")
    assert "<RestException>" in entry["body"]


def test_it_works_below_another_path():
    app = Starlette(routes=[Mount("/twilio", create_app())])
    auth = (SIMULATOR_ACCOUNT_SID, SIMULATOR_AUTH_TOKEN)
    with serve(app) as url:
        answer = httpx.get(f"{url}/twilio{PATH}/Balance", auth=auth)
        assert xml(answer).tag == "Balance"
        assert xml(httpx.get(f"{url}/twilio{PATH}/Keys", auth=auth)).get("uri", "").startswith(PATH)
