"""Every answer tells the browser what may be done with it."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import httpx
import pytest

from dashboard.hosting import under_shiny_server
from dashboard.security_headers import content_security_policy
from tests.support.running_app import running_app

PAGE = '<script type="application/json">{}</script><script>one()</script><script src="a"></script>'


def rules(policy: str) -> dict[str, list[str]]:
    named = [rule.split() for rule in policy.split(";")]
    return {name: sources for name, *sources in named}


@pytest.mark.parametrize(
    "path",
    ["", "?alert=0123", "healthz", "twiml/none.xml", "twilio/status", "nothing", "favicon.ico"],
)
def test_every_answer(simulation: str, path: str):
    headers = httpx.get(f"{simulation}{path}").headers
    policy = rules(headers["Content-Security-Policy"])
    assert policy["frame-ancestors"] == ["'self'"]
    assert policy["default-src"] == ["'self'"]
    assert policy["script-src"][0] == "'self'"
    assert all(source.startswith("'sha256-") for source in policy["script-src"][1:])
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_the_page_that_explains_a_wrong_setting(project: Path):
    with running_app(project, STORAGE="s3") as url:
        headers = httpx.get(url).headers
    assert rules(headers["Content-Security-Policy"])["frame-ancestors"] == ["'self'"]


def test_only_the_scripts_that_are_in_the_page():
    [own, *others] = rules(content_security_policy(PAGE))["script-src"]
    # printf 'one()' | openssl dgst -sha256 -binary | base64
    assert (own, others) == ("'self'", ["'sha256-HR7iaask9daLMRRskMI++QeJtjWDOjyPA6lGzYGzKW4='"])


def test_where_others_add_scripts_to_the_page(monkeypatch: pytest.MonkeyPatch):
    script = ModuleType("__main__")
    script.__file__ = "/opt/shiny-server/python/SockJSAdapter.py"
    with monkeypatch.context() as server:
        server.setitem(sys.modules, "__main__", script)
        under_shiny_server.cache_clear()
        assert rules(content_security_policy(PAGE))["script-src"] == ["'self'", "'unsafe-inline'"]
    under_shiny_server.cache_clear()
    with monkeypatch.context() as connect:
        connect.setenv("POSIT_PRODUCT", "CONNECT")
        assert rules(content_security_policy(PAGE))["script-src"] == ["'self'", "'unsafe-inline'"]


def test_a_server_that_reloads_the_page(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SHINY_AUTORELOAD_PORT", "8001")
    sources = rules(content_security_policy(PAGE))["connect-src"]
    assert sources == ["'self'", "ws://127.0.0.1:8001/autoreload"]
