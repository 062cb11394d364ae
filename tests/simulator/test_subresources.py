"""Everything that a resource says it has is there, if only as an empty list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from simulator import SIMULATOR_ACCOUNT_SID, SIMULATOR_FROM_NUMBER
from simulator.api.empty_lists import EMPTY_LIST_ROUTES
from tests.support.simulator_line import TO, Line, simulator_line
from tests.support.twilio_openapi import DOCUMENT

PICTURE = "https://example.com/cat.png?size=5"
ACCOUNT = f"/2010-04-01/Accounts/{SIMULATOR_ACCOUNT_SID}"


@pytest.fixture(scope="module")
def line():
    with simulator_line() as opened:
        yield opened


@pytest.fixture(scope="module")
def call(line: Line) -> str:
    sid = line.place(twiml="<Response><Record timeout='1' action='https://x.invalid/'/></Response>")
    line.finished(sid)
    return sid


@pytest.fixture(scope="module")
def text(line: Line) -> str:
    sent = line.twilio.messages.create(
        to=TO, from_=SIMULATOR_FROM_NUMBER, media_url=[PICTURE, "https://example.com/unknown"]
    )
    return str(sent.sid)


def advertised(line: Line, path: str) -> list[str]:
    """Every address that a resource links to, and those that these link to in turn."""
    found = line.http.get(path).json()
    own = list(found.get("subresource_uris", {}).values())
    return own + [uri for each in own for uri in advertised(line, each)]


def test_every_address_that_is_given_leads_somewhere(line: Line, call: str, text: str):
    (recording,) = line.twilio.calls(call).recordings.list()
    resources = ["", f"/Calls/{call}", f"/Messages/{text}", f"/Recordings/{recording.sid}"]
    uris = [uri for each in resources for uri in advertised(line, f"{ACCOUNT}{each}.json")]
    assert len(uris) > 35
    for uri in uris:
        assert line.http.get(uri).status_code == 200, uri
        assert line.http.get(uri.removesuffix(".json")).status_code == 200, uri


def test_so_does_every_example_of_twilios_description(line: Line, call: str, text: str):
    """The names of all subresources in the examples of the OpenAPI file."""

    def names(node: Any) -> set[tuple[str, str]]:
        if isinstance(node, list):
            return {name for each in node for name in names(each)}
        if not isinstance(node, dict):
            return set()
        found = {name for each in node.values() for name in names(each)}
        for uri in (node.get("subresource_uris") or {}).values():
            kind, _, name = uri.removesuffix(".json").split("/AC", 1)[1][32:].rpartition("/")
            found.add((kind.strip("/").partition("/")[0], name))
        return found

    parents = {"": ACCOUNT, "Calls": f"{ACCOUNT}/Calls/{call}"}
    parents |= {"Messages": f"{ACCOUNT}/Messages/{text}", "SMS": f"{ACCOUNT}/SMS"}
    found = names(DOCUMENT["paths"])
    assert {("", "Keys"), ("Calls", "Events"), ("Messages", "Media")} <= found
    for kind, name in found:
        assert line.http.get(f"{parents[kind]}/{name}.json").status_code == 200, (kind, name)


LISTS: list[Callable[[Client, str], Any]] = [
    lambda client, call: client.addresses,
    lambda client, call: client.applications,
    lambda client, call: client.authorized_connect_apps,
    lambda client, call: client.available_phone_numbers,
    lambda client, call: client.available_phone_numbers("US").local,
    lambda client, call: client.available_phone_numbers("GB").toll_free,
    lambda client, call: client.conferences,
    lambda client, call: client.connect_apps,
    lambda client, call: client.incoming_phone_numbers.mobile,
    lambda client, call: client.incoming_phone_numbers.toll_free,
    lambda client, call: client.keys,
    lambda client, call: client.notifications,
    lambda client, call: client.queues,
    lambda client, call: client.short_codes,
    lambda client, call: client.signing_keys,
    lambda client, call: client.sip.credential_lists,
    lambda client, call: client.sip.domains,
    lambda client, call: client.sip.ip_access_control_lists,
    lambda client, call: client.transcriptions,
    lambda client, call: client.usage.records,
    lambda client, call: client.usage.records.daily,
    lambda client, call: client.usage.records.this_month,
    lambda client, call: client.usage.triggers,
    lambda client, call: client.calls(call).events,
    lambda client, call: client.calls(call).notifications,
]


@pytest.mark.parametrize("resource", LISTS)
def test_the_sdk_lists_nothing(line: Line, call: str, resource):
    assert resource(line.twilio, call).list() == []


def test_numbers_are_local_ones(line: Line):
    (own,) = line.twilio.incoming_phone_numbers.local.list()
    assert own.phone_number == SIMULATOR_FROM_NUMBER


@pytest.mark.parametrize("path", sorted({route.path for route in EMPTY_LIST_ROUTES}))
def test_nothing_is_made_there_and_nobody_else_looks_in(line: Line, call: str, path: str):
    (recording,) = line.twilio.calls(call).recordings.list()
    sid = recording.sid if "/Recordings/" in path else call
    values = {"account_sid": SIMULATOR_ACCOUNT_SID, "sid": sid, "country": "US", "kind": "Local"}
    url = path.format_map(values)
    assert line.http.get(url).status_code == 200
    assert line.http.post(url).status_code in {404, 405}
    assert line.http.get(url, auth=("AC" + "b" * 32, "x")).status_code == 401
    assert line.http.get(f"{url.removesuffix('.json')}/XX{'0' * 32}.json").status_code == 404


@pytest.mark.parametrize(
    "path", ["Calls/{}/Events", "Calls/{}/Recordings", "Recordings/{}/Transcriptions"]
)
def test_what_does_not_exist_has_no_lists(line: Line, path: str):
    assert line.http.get(line.path(path.format("CA" + "0" * 32))).status_code == 404


def test_the_pictures_of_a_text(line: Line, text: str):
    cat, unknown = line.twilio.messages(text).media.list()
    assert (cat.parent_sid, cat.content_type) == (text, "image/png")
    assert unknown.content_type == "application/octet-stream"
    fetched = line.twilio.messages(text).media(cat.sid).fetch()
    assert fetched.uri == f"{ACCOUNT}/Messages/{text}/Media/{cat.sid}.json"
    file = line.http.get(fetched.uri.removesuffix(".json"), auth=None, follow_redirects=False)
    assert (file.status_code, file.headers["location"]) == (307, PICTURE)
    with pytest.raises(TwilioRestException):
        line.twilio.messages(text).media("ME" + "0" * 32).fetch()


def test_feedback_on_a_text(line: Line, text: str):
    feedback = line.twilio.messages(text).feedback.create(outcome="confirmed")
    assert (feedback.message_sid, feedback.outcome) == (text, "confirmed")
    with pytest.raises(TwilioRestException):
        line.twilio.messages(text).feedback.create(outcome="loved")
