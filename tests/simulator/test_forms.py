"""Form bodies as clients in the field write them: multipart, and every spelling of true."""

from __future__ import annotations

import subprocess

import httpx
import pytest
import requests

from simulator import SIMULATOR_ACCOUNT_SID, SIMULATOR_AUTH_TOKEN, SIMULATOR_FROM_NUMBER
from simulator.api.forms import Form, read_flag
from tests.support.simulator_line import TO, Line, said

TWIML = "<Response><Say>Grüezi &amp; hello\r\n👍</Say></Response>"
FIELDS = [("To", TO), ("From", SIMULATOR_FROM_NUMBER), ("Twiml", TWIML)]
BOUNDARY = "multipart/form-data; boundary=x"


def curl(line: Line, resource: str, fields: list[tuple[str, str]]) -> dict[str, object]:
    """Send fields as `curl -F` does."""
    arguments = [part for name, value in fields for part in ("--form-string", f"{name}={value}")]
    user = f"{SIMULATOR_ACCOUNT_SID}:{SIMULATOR_AUTH_TOKEN}"
    url = f"{line.base_url}{line.path(resource)}"
    command = ["curl", "--silent", "--fail", "--user", user, *arguments, url]
    ran = subprocess.run(command, capture_output=True, check=True)
    found: dict[str, object] = httpx.Response(200, content=ran.stdout).json()
    return found


def test_curl_places_a_call(line: Line):
    assert said(line.heard(str(curl(line, "Calls", FIELDS)["sid"]))) == [
        "Grüezi & hello\n👍"  # a line break in XML is \n, however it was sent
    ]


def test_another_library_writes_it_too(line: Line):
    parts = [(name, (None, value)) for name, value in FIELDS]
    auth = (SIMULATOR_ACCOUNT_SID, SIMULATOR_AUTH_TOKEN)
    answer = requests.post(line.base_url + line.path("Calls"), files=parts, auth=auth, timeout=10)
    assert (answer.status_code, answer.json()["to"]) == (201, TO)


def test_every_resource_and_control_takes_it(line: Line):
    pictures = [("MediaUrl", f"https://example.com/{name}.png") for name in "ab"]
    sent = curl(line, "Messages", [*FIELDS[:2], ("Body", "Hello"), *pictures])
    assert sent["num_media"] == "2"
    bought = curl(line, "IncomingPhoneNumbers", [("AreaCode", "412")])
    assert str(bought["phone_number"]).startswith("+1412")
    assert curl(line, f"IncomingPhoneNumbers/{bought['sid']}", [("FriendlyName", "Hall")])[
        "friendly_name"
    ] == ("Hall")
    parts = {"Body": (None, "Back")}
    assert line.http.post(f"/simulator/texts/{TO}", files=parts).json()["body"] == "Back"


def test_it_is_in_the_log_without_passwords(line: Line):
    curl(line, "Calls", [*FIELDS, ("SipAuthPassword", "hunter2")])
    (entry,) = (e for e in line.http.get("/simulator/log").json() if e["direction"] == "in")
    assert ["To", TO] in entry["parameters"]
    assert "hunter2" not in str(entry)


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("multipart/form-data", b'--x\r\nContent-Disposition: form-data; name="To"\r\n\r\na\r\n'),
        (BOUNDARY, b""),
        (BOUNDARY, b"To=1"),
        (BOUNDARY, b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--\r\n"),
        (BOUNDARY, b'--x\r\nContent-Disposition: form-data; name="To"\r\n\r\nunfinished'),
        (f"{BOUNDARY}; charset=nothing", b"--x\r\n\xff\xfe: \x00\r\n\r\n--x--"),
        (BOUNDARY, b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 1001),
        ("multipart/mixed; boundary=x", b"--x\r\n\r\na\r\n--x--\r\n"),
        ("multipart/form-data; boundary=" + "x" * 5000, b"a"),
    ],
)
def test_what_is_broken_counts_as_no_parameters(line: Line, media_type: str, body: bytes):
    headers = {"content-type": media_type}
    answer = line.http.post(line.path("Calls"), content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, 21201)


def test_a_file_is_no_parameter(line: Line):
    files = {"To": ("to.txt", TO), "From": (None, SIMULATOR_FROM_NUMBER)}
    assert line.http.post(line.path("Calls"), files=files).json()["code"] == 21201


@pytest.mark.parametrize("word", ["true", "TRUE", "True", "1", " true ", "yes", "on"])
def test_true(word: str):
    assert read_flag(Form((("AsyncAmd", word),)), "AsyncAmd")


@pytest.mark.parametrize("word", ["", "false", "False", "0", "no", "off", "2", "maybe", "truely"])
def test_anything_else_is_false(word: str):
    assert not read_flag(Form((("AsyncAmd", word),)), "AsyncAmd")
    assert not read_flag(Form(), "AsyncAmd")


@pytest.mark.parametrize("word", ["1", "TRUE"])
def test_resources_read_every_spelling(line: Line, word: str):
    sid = line.place(
        twiml="<Response><Say>Hello</Say><Pause length='9'/></Response>",
        machine_detection="Enable",
        async_amd=word,
    )
    line.finished(sid)
    assert line.inside(sid)["transcript"][0]["at"] < 2
    numbers = line.path("IncomingPhoneNumbers")
    data = {"AreaCode": "412", "VoiceCallerIdLookup": word}
    assert line.http.post(numbers, data=data).json()["voice_caller_id_lookup"] is True


@pytest.mark.parametrize(("word", "kinds"), [("0", ["record"]), ("1", ["play", "record"])])
def test_so_does_twiml(line: Line, word: str, kinds: list[str]):
    heard = line.heard(line.place(twiml=f"<Response><Record playBeep='{word}'/></Response>"))
    assert [entry["kind"] for entry in heard["transcript"]][: len(kinds)] == kinds
