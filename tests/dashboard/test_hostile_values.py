"""Any value of any input is taken or refused in a sentence: no traceback, no ended session."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from dashboard.page_messages import CheckedMessages
from tests.support.hostile_page import (
    ANYTHING,
    BUTTON,
    INPUTS,
    TOO_LONG,
    WRONG,
    HostilePage,
    hostile_page,
)
from tests.support.running_app import Log, app_without_tracebacks

AS_OPENED = {name: value for name, value in INPUTS.items() if name.startswith("send-")}
AS_OPENED.pop(BUTTON)
# The page's own inputs, not Shiny's, which the page can't misread.
NAMES = sorted(AS_OPENED)
FILE_INPUT = "people-file"
ANNOUNCED = {"name": "team.csv", "size": 9, "type": "text/csv"}
# Of a slow machine that runs other tests too. Reading such a value to its end takes many more.
LONGEST_SECONDS = 10


@pytest.fixture(scope="module")
def app(project: Path) -> Iterator[tuple[str, Log]]:
    """An app of this module's own, and its log."""
    with app_without_tracebacks(project) as app:
        yield app


@pytest.fixture(scope="module")
def opened(app: tuple[str, Log]) -> Iterator[HostilePage]:
    """A session that tests share: to open one takes as much as some thirty presses."""
    url, _ = app
    with hostile_page(url, {}) as page:
        yield page


@pytest.fixture
def page(opened: HostilePage) -> Iterator[HostilePage]:
    """The same, left as it was found, which shows that it still lives."""
    yield opened
    opened.send(AS_OPENED)
    assert "911 is an emergency number" in opened.press()


@pytest.mark.parametrize("name", NAMES)
def test_every_input_and_every_wrong_value(page: HostilePage, name: str):
    for value in WRONG:
        page.send({name: value})
        assert page.press().strip().endswith("."), value


SOME_VALUES = st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=4)


@pytest.mark.slow
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(values=SOME_VALUES)
def test_several_inputs_at_once(page: HostilePage, values: dict[str, object]):
    page.send(AS_OPENED | values)
    assert page.press().strip().endswith(".")


# Each is a session of its own with the app, so a few: the one above gets many more.
@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(values=SOME_VALUES)
def test_a_session_that_begins_with_them(app: tuple[str, Log], values: dict[str, object]):
    url, _ = app
    with hostile_page(url, values) as page:
        assert page.press().strip().endswith(".")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("send-phone_number", [], "What the page sent as phone number isn't a text"),
        ("send-message", 5, "What the page sent as message isn't a text"),
        ("send-message", TOO_LONG, "The message holds 20,000 characters at most; this one has 30,"),
        ("send-then_to", TOO_LONG, "The then to holds"),
        ("send-repeat", "9" * 5_000, "What the page sent as repeat isn't one of its choices"),
        ("send-repeat", "1001", "What the page sent as repeat isn't one of its choices"),
        ("send-tries", "999999999", "What the page sent as tries isn't one of its choices"),
        ("send-channel", "fax", "What the page sent as channel isn't one of its choices"),
        ("send-acknowledge", "yes", "What the page sent as acknowledge isn't yes or no"),
        ("send-minutes_between_tries", "5", "isn't a number"),
        ("send-minutes_between_tries", 10**400, "Wait 0 to 1,440 minutes."),
        ("send-minutes_between_tries", None, "Wait 0 to 1,440 minutes."),
    ],
)
def test_it_says_which(page: HostilePage, name: str, value: object, words: str):
    page.send({"send-phone_number": "(412) 857-4309", name: value})
    assert words in page.press()


@pytest.mark.parametrize(
    "value",
    [None, 5, [], {}, {"key": None}, {"key": "911"}, {"key": ""}, {"body": {}}, {"body": "x" * 99}],
)
@pytest.mark.parametrize("name", ["key", "reply", "answer", "decline", "hang_up"])
def test_the_handset(opened: HostilePage, name: str, value: object):
    opened.send({f"phone-{name}": value})
    assert opened.press()


@pytest.mark.parametrize(
    "name", ["send-phone_number", "send-message", "send-voicemail", "send-then_to", "send-repeat"]
)
@pytest.mark.parametrize(
    "value",
    [
        "4128574309" + " " * 20_000 + "x",
        "1" * 500_000,
        "4128574309\n" * 50_000,
        "{{ now }}" * 50_000,
        "(" * 500_000,
    ],
    ids=["spaces", "digits", "numbers", "variables", "brackets"],
)
def test_one_value_stops_nobody(page: HostilePage, name: str, value: str):
    began = time.monotonic()
    page.send({name: value})
    assert page.press()
    assert time.monotonic() - began < LONGEST_SECONDS


@pytest.mark.parametrize(
    "message",
    [
        b"\x00\x01",
        b"{}",
        "",
        "no JSON",
        "[" * 100_000,
        '{"a":' * 100_000,
        "9" * 5_000,
        "null",
        "[]",
        '"init"',
        "{}",
        '{"method": "init"}',
        '{"method": "init", "data": []}',
        '{"method": "init", "data": null}',
        '{"method": ["init"], "data": {}}',
        '{"method": "update", "data": {}}',
        '{"method": "uploadInit", "args": [[{"name": "x", "size": 1, "type": ""}]], "tag": 1}',
        '{"method": "uploadEnd", "args": ["x", "send-message"], "tag": 1}',
        '{"method": 5, "args": [], "tag": 1}',
        json.dumps({"method": "init", "data": {"a:b:c": 1}}),
        json.dumps({"method": "init", "data": {"a:shiny.nothing": 1}}),
        json.dumps({"method": "init", "data": {"a:shiny.date": 5}}),
        json.dumps({"method": "init", "data": {"a:shiny.datetime": "x"}}),
        json.dumps({"method": "init", "data": {"a:shiny.file": {}}}),
        json.dumps({"method": "init", "data": {"a:shiny.action": []}}),
        json.dumps({"method": "init", "data": {"people-file": [{"datapath": "/etc/passwd"}]}}),
        json.dumps({"method": "init", "data": {"send-file": [{"datapath": "/etc/passwd"}]}}),
        json.dumps({"method": "init", "data": {BUTTON: 1}}),
        json.dumps({"method": "init", "data": {BUTTON: {"value": "x", "autoReset": True}}}),
        json.dumps({"method": "init", "data": {".clientdata_url_search": 5}}),
        json.dumps({"method": "init", "data": {"a": [[[[[[[[1]]]]]]]]}}),
        json.dumps({"method": "init", "data": {f"a{number}": 1 for number in range(2_000)}}),
    ],
)
def test_what_is_no_message_of_a_page(app: tuple[str, Log], message: str | bytes):
    url, _ = app
    with hostile_page(url) as page:
        page.send_raw(message)
        assert page.ended() == 1008


@pytest.mark.parametrize("message", ['{"method": "init", "data": {}}', "{}", "no JSON"])
async def test_later_messages_are_checked_too(message: str):
    assert await ended_in_memory(message) == 1008


async def ended_in_memory(message: str) -> int | None:
    """The code that a session of a stand-in for the app is ended with after a page's message."""
    arriving = iter(
        [
            {"type": "websocket.receive", "text": '{"method": "init", "data": {}}'},
            {"type": "websocket.receive", "text": message},
        ]
    )
    seen: list[Message] = []
    sent: list[Message] = []

    async def receive() -> Message:
        return next(arriving)

    async def send(message: Message) -> None:
        sent.append(message)

    async def app(_: Scope, receive: Receive, __: Send) -> None:
        seen.extend([await receive(), await receive()])

    await CheckedMessages(app, [FILE_INPUT])({"type": "websocket"}, receive, send)
    [_, last] = seen
    # The app hears of nothing but the end.
    assert (last["type"] == "websocket.disconnect") == bool(sent)
    return sent[0]["code"] if sent else None


async def test_what_pages_do_send_comes_through():
    for message in (
        {"method": "update", "data": {"send-message": "x"}},
        {"method": "uploadInit", "args": [[ANNOUNCED]], "tag": 1},
        {"method": "uploadEnd", "args": ["x", FILE_INPUT], "tag": 1},
    ):
        assert await ended_in_memory(json.dumps(message)) is None


def test_the_app_checks_later_messages_too(app: tuple[str, Log]):
    """The others are checked in memory: to open a session for each takes seconds."""
    url, _ = app
    for method, args in (("makeCoffee", []), ("uploadInit", [[ANNOUNCED | {"size": "9"}]])):
        with hostile_page(url, {}) as page:
            page.send_raw(json.dumps({"method": method, "args": args, "tag": 1}))
            assert page.ended() == 1008


def test_a_message_that_is_too_big(app: tuple[str, Log]):
    url, _ = app
    with hostile_page(url, {}) as page:
        page.send({"send-message": "x" * 1_000_001})
        assert page.ended() == 1009


def test_uploads(app: tuple[str, Log]):
    url, _ = app
    for path in ("session/abc/upload/def", "session//upload/"):
        answer = httpx.post(f"{url}{path}", content=b"x" * 100_000)
        assert (answer.status_code, answer.text) == (403, "No page here takes files.")


def announce(page: HostilePage, *files: dict[str, object], tag: int = 1) -> None:
    page.send_raw(json.dumps({"method": "uploadInit", "args": [list(files)], "tag": tag}))


def test_a_file_for_the_people_page_is_taken_once_and_no_larger_than_announced(
    app: tuple[str, Log],
):
    url, _ = app
    with hostile_page(url, {}) as page:
        for content, status in ((b"name\nBen\n", 200), (b"x" * 10_000, 413)):
            announce(page, ANNOUNCED)
            where = page.answer()["uploadUrl"]
            assert httpx.post(f"{url}{where}", content=content).status_code == status
            assert httpx.post(f"{url}{where}", content=content).status_code == 403
        announce(page, ANNOUNCED)
        chunked = httpx.post(f"{url}{page.answer()['uploadUrl']}", content=iter([b"name"]))
        assert chunked.status_code == 413


@pytest.mark.parametrize(
    "files",
    [
        [],
        [ANNOUNCED, ANNOUNCED],
        [ANNOUNCED | {"size": 20_000_001}],
        [ANNOUNCED | {"size": -1}],
        [ANNOUNCED | {"size": True}],
        [ANNOUNCED | {"size": "9"}],
        [ANNOUNCED | {"name": ""}],
        [ANNOUNCED | {"name": "x" * 300}],
        [ANNOUNCED | {"name": "../x.csv"}],
        [ANNOUNCED | {"name": "x.\x00"}],
        [ANNOUNCED | {"name": 5}],
        [{"name": "x.csv", "size": 5}],
        [5],
    ],
)
async def test_files_that_no_page_announces(files: list[Any]):
    message = {"method": "uploadInit", "args": [files], "tag": 1}
    assert await ended_in_memory(json.dumps(message)) == 1008


@pytest.mark.parametrize(
    "message",
    [
        {"method": "uploadEnd", "args": ["x", "send-message"], "tag": 1},
        {"method": "uploadEnd", "args": [["x"], "people-file"], "tag": 1},
        {"method": "uploadEnd", "args": ["x"], "tag": 1},
        {"method": "uploadEnd", "args": ["x", ["people-file"]], "tag": 1},
        {"method": "uploadInit", "args": [[ANNOUNCED]]},
        {"method": "uploadInit", "args": {}, "tag": 1},
        {"method": "makeCoffee", "args": [], "tag": 1},
    ],
)
async def test_messages_about_files_that_no_page_sends(message: Any):
    assert await ended_in_memory(json.dumps(message)) == 1008


@pytest.mark.slow
@pytest.mark.parametrize(
    "address",
    [
        "?alert=" + "x" * 100_000,
        "?alert=%00",
        "?alert=\ud800",
        "?alert=" + "%",
        "?" + "a&" * 100_000,
        "?_inputs_&send-phone_number=%22911%22",
        "?_inputs_&send-phone_number=no%20JSON",
        "?_values_&_inputs_&_inputs_",
        "?_state_id_=../../etc",
        "?_state_id_=abc",
    ],
)
def test_any_address(app: tuple[str, Log], address: str):
    url, _ = app
    with hostile_page(url, {".clientdata_url_search": address}) as page:
        assert "911 is an emergency number" in page.press()


def test_the_log_stays_short(app: tuple[str, Log]):
    url, log = app
    with hostile_page(url, {}) as page:
        before = log.file.stat().st_size
        for _ in range(25):
            page.send({"send-message": ["x" * 1_000], "send-tries": {}, "send-phone_number": 5})
            page.press()
        assert log.file.stat().st_size - before < 2_500
