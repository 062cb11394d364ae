"""Callbacks that are refused, and change nothing."""

from __future__ import annotations

import logging
import sqlite3
from typing import Any
from urllib.parse import urlencode

import pytest

from alerts import Status, callbacks
from tests.support.callback_app import (
    ACCOUNT_SID,
    BASE,
    SID,
    SIGNER,
    TOKEN,
    CallbackApp,
    callback_app,
    form,
)
from tests.support.databases import sqlite_in


@pytest.fixture
async def app(tmp_path):
    async with callback_app(sqlite_in(tmp_path)) as opened:
        await opened.add()
        yield opened


@pytest.mark.parametrize("path", ["status", "gather"])
@pytest.mark.parametrize(
    "forge",
    [
        lambda url, fields, signed: (url, fields, "A" + signed[1:-2] + "B="),
        lambda url, fields, signed: (url, fields, ""),
        lambda url, fields, signed: (url, fields, "é"),
        lambda url, fields, signed: (url, fields, None),
        lambda url, fields, signed: (url.replace("one", "two"), fields, signed),
        lambda url, fields, signed: (url + "&x=1", fields, signed),
        lambda url, fields, signed: (url.replace("try=1", "try=01"), fields, signed),
        lambda url, fields, signed: (url, fields | {"CallStatus": "failed"}, signed),
        lambda url, fields, signed: (url, fields | {"New": ""}, signed),
        lambda url, fields, signed: (
            url,
            fields | {"AccountSid": "AC" + "f" * 32},
            SIGNER.compute_signature(url, fields | {"AccountSid": "AC" + "f" * 32}),
        ),
        lambda url, fields, signed: (
            url,
            {"CallSid": SID},
            SIGNER.compute_signature(url, {"CallSid": SID}),
        ),
        lambda url, fields, signed: (
            url,
            fields,
            # Signed for the address that a proxy uses instead of the public one.
            SIGNER.compute_signature(
                url.replace("https://callboard.example", "http://127"), fields
            ),
        ),
    ],
)
async def test_what_twilio_has_not_signed(app: CallbackApp, caplog, path, forge):
    await app.add("two")
    url = f"{BASE}/twilio/{path}?alert=one&try=1"
    fields = form("completed", Digits="1") | {"AccountSid": ACCOUNT_SID}
    url, fields, signature = forge(url, fields, SIGNER.compute_signature(url, fields))
    headers = {} if signature is None else {"X-Twilio-Signature": signature.encode()}
    answer = await app.post_raw(url, urlencode(fields), headers)
    assert (answer.status_code, answer.text) == (403, "")
    for alert_id in ("one", "two"):
        assert len((await app.alert(alert_id)).events) == 1
    assert TOKEN not in caplog.text
    assert SID not in caplog.text


async def test_nothing_is_twilios_where_callbacks_are_off(tmp_path):
    without: list[dict[str, Any]] = [{"callbacks": None}, {"is_from_twilio": None}]
    for off in without:
        async with callback_app(sqlite_in(tmp_path), **off) as app:
            await app.add()
            assert await app.status(form("completed")) == 403
            assert len((await app.alert()).events) == 1


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("a=" + "b" * 64 * 1024, None, 413),
        ('{"CallSid": "CA1"}', "application/json", 400),
        ("CallSid=CA1", "multipart/form-data; boundary=x", 400),
        ("CallSid=CA1", "", 400),
        ("no form at all", None, 400),
        ("CallSid=%ff", None, 400),
        ("CallSid=é", None, 400),
        ("a=b&" * 2000 + "a=b", None, 400),
        ("", None, 403),
    ],
)
async def test_what_is_no_form(app: CallbackApp, body, content_type, status):
    headers = {} if content_type is None else {"Content-Type": content_type}
    for address in (app.addresses.status("one", 1), app.addresses.key_press("one", 1)):
        assert (await app.post_raw(address, body, headers)).status_code == status


async def test_only_post_is_accepted(app: CallbackApp):
    for path in ("status", "gather"):
        url = f"http://127.0.0.1/team/calls/twilio/{path}?alert=one&try=1"
        for method in ("GET", "PUT", "DELETE"):
            assert (await app.web.request(method, url)).status_code == 405


@pytest.mark.parametrize(
    "address",
    [
        "/twilio/status",
        "/twilio/status?alert=one",
        "/twilio/status?try=1",
        "/twilio/status?alert=&try=1",
        "/twilio/status?alert=two&try=1",
        "/twilio/status?alert=one&try=0",
        "/twilio/status?alert=one&try=-1",
        "/twilio/status?alert=one&try=2",
        "/twilio/status?alert=one&try=%C2%B2",
        "/twilio/status?alert=one&try=" + "9" * 5000,
        "/twilio/gather?alert=two&try=1",
    ],
)
async def test_an_alert_that_is_not_there(app: CallbackApp, caplog, address):
    caplog.set_level(logging.INFO, "alerts.callbacks")
    answer = await app.post(BASE + address, form("ringing"))
    assert (answer.status_code, answer.text) == (404, "")
    assert len((await app.alert()).events) == 1
    assert [(each.levelname, each.name) for each in caplog.records] == [
        ("INFO", "alerts.callbacks")
    ]


async def test_about_neither_a_call_nor_a_text(app: CallbackApp):
    assert await app.status({"CallStatus": "completed"}) == 404
    assert (await app.alert()).status is Status.QUEUED


async def test_a_database_that_does_not_answer(app: CallbackApp, tmp_path, monkeypatch):
    monkeypatch.setattr(callbacks, "DATABASE_TIMEOUT_SECONDS", 0.2)
    other = sqlite3.connect(tmp_path / "callboard.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert await app.status(form("ringing")) == 503
    other.execute("ROLLBACK")
    other.close()
    monkeypatch.undo()
    assert await app.status(form("completed")) == 204
    # The first callback was saved too, although its answer was 503.
    assert [each.status for each in (await app.alert()).events[1:]] == [
        Status.RINGING, Status.COMPLETED,
    ]  # fmt: skip


async def test_a_database_that_is_closed(app: CallbackApp):
    await app.desk.database.close()
    assert await app.status(form("ringing")) == 503
