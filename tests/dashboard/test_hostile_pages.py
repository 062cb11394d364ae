"""Any value of the other pages' inputs is taken or refused: nothing fails, no session ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.permissions import ACTIONS_OF_PEOPLE, ACTIONS_OF_RULES
from tests.support.hostile_page import (
    ANYTHING,
    BUTTON,
    TOO_LONG,
    WRONG,
    HostilePage,
    hostile_page,
)
from tests.support.running_app import Log, app_without_tracebacks

pytestmark = pytest.mark.slow

OTHER_PAGES = {
    "people-in_sight": True,
    "rules-address": "?page=rules&rule=new",
    "setup-my_number": "",
    "setup-call:shiny.action": 0,
}
PLAIN: dict[str, list[object]] = {
    "people-in_sight": [None, 5, [], "x"],
    "people-time_zone": [None, 5, "../../etc", "\ud800", TOO_LONG],
    "rules-address": [
        None, 5, "?page=rules&rule=\x00", "?page=rules&rule=" + "x" * 9_000, "?rule=%ff&from=%00",
        "?page=rules&rule=new&from=nothing", "\ud800",
    ],
    "rules-form": [None, [], {"generation": 5, "fields": {}}, {"generation": "1", "nonce": "x"}],
    "rules-time_zone": [None, 5, "../../etc"],
    "setup-my_number": WRONG,
    "setup-time_zone": [None, 5, "../../etc", "\ud800", TOO_LONG],
}  # fmt: skip
FIELDS = (
    "name", "number_1", "number_2", "notes", "language", "time_zone", "group", "groups", "what",
    "sql", "key", "message", "to_column", "to", "owner", "check", "for", "until", "weekly",
    "most_at_once", "tries", "pending_minutes", "channel",
)  # fmt: skip
ODD: list[object] = [
    None,
    5,
    "",
    "\ud800",
    "\x00",
    "9" * 5_000,
    [],
    [[1]],
    {},
    {"key": []},
    10**400,
    True,
]
ACTS = [
    *(("people-act", each) for each in sorted(ACTIONS_OF_PEOPLE)),
    *(("rules-act", each) for each in sorted(ACTIONS_OF_RULES)),
    ("people-act", "nothing"),
    ("rules-act", "__init__"),
]


@pytest.fixture(scope="module")
def app(project: Path) -> Iterator[tuple[str, Log]]:
    """An app of this module's own, and its log."""
    with app_without_tracebacks(project) as app:
        yield app


def is_alive(page: HostilePage, log: Log) -> None:
    """The session goes on, and nothing failed in it. Once a session: the sentence comes once."""
    page.send({BUTTON: {"value": 1, "autoReset": True}})
    page.until("911 is an emergency number")
    assert "Callboard failed" not in log.read()


@pytest.mark.parametrize("name", PLAIN)
def test_every_input_of_the_other_pages(app: tuple[str, Log], name: str):
    url, log = app
    with hostile_page(url, OTHER_PAGES) as page:
        for place, value in enumerate(PLAIN[name], start=1):
            page.send({name: value, "setup-call:shiny.action": place})
        is_alive(page, log)


@pytest.mark.parametrize("odd", ODD, ids=lambda each: repr(each)[:12])
def test_every_action_of_the_other_pages(app: tuple[str, Log], odd: object):
    url, log = app
    with hostile_page(url, OTHER_PAGES) as page:
        for nonce, (name, action) in enumerate(ACTS):
            fields = dict.fromkeys(FIELDS, odd)
            sent = {"action": action, "id": odd, "value": odd, "fields": fields, "nonce": nonce}
            page.send({name: sent})
            page.send({name: {**sent, "id": "x", "fields": odd, "nonce": -nonce}})
        form = {"generation": "1", "fields": dict.fromkeys(FIELDS, odd), "nonce": 1}
        page.send({"rules-form": form})
        is_alive(page, log)


def test_any_action_of_the_other_pages(app: tuple[str, Log]):
    url, log = app
    with hostile_page(url, OTHER_PAGES) as page:

        @settings(max_examples=100, deadline=None)
        @given(
            st.sampled_from(ACTS),
            ANYTHING,
            ANYTHING,
            st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=4),
        )
        def act(act: tuple[str, str], record: object, value: object, fields: object) -> None:
            name, action = act
            page.send({name: {"action": action, "id": record, "value": value, "fields": fields}})

        act()
        is_alive(page, log)
