"""Whom Posit Connect vouches for: their name stands in messages and beside "Canceled by"."""

from __future__ import annotations

import json

import pytest
from starlette.datastructures import Headers

from dashboard.hosting import ConnectUser, connect_user

CONNECT = "rstudio-connect-credentials"
OTHERS = "shiny-server-credentials"


def sent(*headers: tuple[str, object]) -> Headers:
    raw = [
        (name.encode(), (value if isinstance(value, str) else json.dumps(value)).encode("latin-1"))
        for name, value in headers
    ]
    return Headers(raw=raw)


ANN = (CONNECT, {"user": "ann", "groups": ["brewers"]})


@pytest.mark.parametrize("product", ["POSIT_PRODUCT", "RSTUDIO_PRODUCT"])
def test_connect_vouches_for_its_visitor(product: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(product, "CONNECT")
    ann = ConnectUser("ann", ("brewers",))
    assert connect_user(sent(ANN)) == ann
    assert connect_user(sent(ANN, (OTHERS, {"user": "bob", "groups": []}))) == ann
    assert connect_user(sent((OTHERS, {"user": "bob", "groups": []}))) is None


@pytest.mark.parametrize("product", [None, "WORKBENCH", "connect", ""])
def test_elsewhere_anybody_can_send_the_header(
    product: str | None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("RSTUDIO_PRODUCT", raising=False)
    monkeypatch.delenv("POSIT_PRODUCT", raising=False)
    if product is not None:
        monkeypatch.setenv("POSIT_PRODUCT", product)
    assert connect_user(sent(ANN)) is None


@pytest.mark.parametrize(
    "credentials",
    [
        {"user": {"a": 1}},
        {"user": 5},
        {"user": None},
        {"user": ["ann"]},
        {"user": True},
        {"user": ""},
        {"user": " "},
        {"user": "a" * 201},
        {"user": "ann\nbob"},
        {"user": "\ud800"},
        {"name": "ann"},
        ["ann"],
        "ann",
        "",
        "{",
        "[" * 50_000,
        "9" * 5_000,
    ],
)
def test_anything_else_is_nobody(credentials: object, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("POSIT_PRODUCT", "CONNECT")
    assert connect_user(sent((CONNECT, credentials))) is None


def test_two_answers_are_none(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("POSIT_PRODUCT", "CONNECT")
    assert connect_user(sent(ANN, (CONNECT, {"user": "bob"}))) is None


@pytest.mark.parametrize("groups", [None, "admins", {"admins": 1}, [["admins"], 5, "ad\nmins", ""]])
def test_groups_that_are_none(groups: object, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("POSIT_PRODUCT", "CONNECT")
    visitor = connect_user(sent((CONNECT, {"user": "ann", "groups": groups})))
    assert visitor == ConnectUser("ann", ())
