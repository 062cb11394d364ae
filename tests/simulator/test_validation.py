"""Requests that Twilio refuses, with its code, status and kind of body."""

from __future__ import annotations

import pytest

from simulator import SIMULATOR_FROM_NUMBER
from tests.support.simulator_line import TO, Line, simulator_line

CALL = {"To": TO, "From": SIMULATOR_FROM_NUMBER, "Url": "https://example.com/a.xml"}
TEXT = {"To": TO, "From": SIMULATOR_FROM_NUMBER, "Body": "Hello"}


@pytest.fixture(scope="module")
def line():
    with simulator_line() as opened:
        yield opened


def assert_refused(answer, code: int, status: int = 400) -> None:
    assert answer.status_code == status
    body = answer.json()
    assert body.keys() == {"code", "message", "more_info", "status"}
    assert (body["code"], body["status"]) == (code, status)
    assert body["more_info"] == f"https://www.twilio.com/docs/errors/{code}"
    assert body["message"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"To": ""}, 21201),
        ({"To": "12345"}, 21211),
        ({"To": "phone=+14125550199"}, 21211),
        ({"To": "+1412555019999999999999"}, 21211),
        ({"From": ""}, 21213),
        ({"From": "nobody"}, 21212),
        ({"Url": ""}, 21205),
        ({"Url": "ftp://example.com/a.xml"}, 21205),
        ({"Url": "/a.xml"}, 21205),
        ({"Url": "https://my_host.example.com/a.xml"}, 21205),
        ({"Url": "https://example.com:port/a.xml"}, 21205),
        ({"Url": "https://[::1/a.xml"}, 21205),
        ({"Url": "https://exa mple.com/"}, 21205),
        ({"Url": "", "ApplicationSid": "AP" + "a" * 32}, 21218),
        ({"Url": "", "Twiml": "<Response>" + "a" * 4000 + "</Response>"}, 32018),
        ({"Method": "PUT"}, 21209),
        ({"FallbackUrl": "nowhere"}, 21205),
        ({"StatusCallback": "https://my_host/"}, 21609),
        ({"StatusCallbackMethod": "HEAD"}, 21209),
        ({"SendDigits": "hello"}, 21206),
        ({"Timeout": "soon"}, 21208),
        ({"MachineDetectionTimeout": "2"}, 21208),
        ({"MachineDetectionTimeout": "60"}, 21208),
        ({"Timeout": "601"}, 21208),
        ({"Timeout": "٣"}, 21208),
    ],
)
def test_calls(line: Line, change: dict[str, str], code: int):
    assert_refused(line.http.post(line.path("Calls"), data=CALL | change), code)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"To": ""}, 21604),
        ({"To": "12345"}, 21211),
        ({"To": SIMULATOR_FROM_NUMBER}, 21266),
        ({"From": ""}, 21603),
        ({"From": "no/body"}, 21212),
        ({"From": "My Company"}, 21612),
        ({"From": "72525"}, 21606),
        ({"MessagingServiceSid": "MG1"}, 21701),
        ({"Body": ""}, 21602),
        ({"Body": "a" * 1601}, 21617),
        ({"MediaUrl": "cat.png"}, 21620),
        ({"StatusCallback": "https://my_host/"}, 21609),
    ],
)
def test_texts(line: Line, change: dict[str, str], code: int):
    assert_refused(line.http.post(line.path("Messages"), data=TEXT | change), code)


def test_the_longest_that_is_allowed(line: Line):
    body = "<Response><!--" + "a" * 3971 + "--></Response>"
    assert len(body) == 3999
    longest = CALL | {"Url": "", "Twiml": body + " "}
    assert line.http.post(line.path("Calls"), data=longest).status_code == 201
    assert (
        line.http.post(line.path("Messages"), data=TEXT | {"Body": "a" * 1600}).status_code == 201
    )


def test_json_is_no_form(line: Line):
    assert_refused(line.http.post(line.path("Calls"), json=CALL), 21201)


def test_garbage_is_refused(line: Line):
    garbage = b"To=%ff%fe&From=\xff&%%%=1"
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert_refused(line.http.post(line.path("Calls"), content=garbage, headers=form), 21211)


@pytest.mark.parametrize("resource", ["Calls/CA" + "0" * 32, "Messages/SM" + "0" * 32, "Nothing"])
def test_unknown_resources(line: Line, resource: str):
    assert_refused(line.http.get(line.path(resource)), 20404, 404)


def test_another_method(line: Line):
    assert_refused(line.http.put(line.path("Calls"), data=CALL), 20004, 405)


def test_an_unusable_update(line: Line):
    sid = line.place("+14125550102")
    answer = line.http.post(line.path(f"Calls/{sid}"), data={"Status": "ringing"})
    assert_refused(answer, 20001)
