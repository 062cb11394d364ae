"""Connections that cannot be made: nothing was sent, and the error says so."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from tests.support.broken_server import CREATED, broken, failed_call, response
from tests.support.certificate import self_signed
from tests.support.servers import free_port
from twilio_client import TwilioUnreachable


async def test_a_closed_port():
    error = await failed_call(f"http://127.0.0.1:{free_port()}")
    assert type(error) is TwilioUnreachable
    assert str(error) == (
        "Twilio could not be reached (the connection was refused), so nothing was sent."
    )
    assert (error.status, error.code, error.more_info) == (None, None, None)


async def test_a_name_that_does_not_exist():
    error = await failed_call("https://api.twilio.invalid")
    assert type(error) is TwilioUnreachable
    assert "its name was not found" in str(error)


async def test_a_server_that_speaks_no_tls():
    async with broken(b"220 mail.example.com ESMTP\r\n") as server:
        error = await failed_call(server.address.replace("http", "https"))
    assert type(error) is TwilioUnreachable
    assert "no secure connection could be made" in str(error)


async def test_an_untrusted_certificate(tmp_path: Path):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(self_signed(tmp_path))
    async with broken("read", CREATED, tls=tls) as server:
        error = await failed_call(server.address)
    assert type(error) is TwilioUnreachable
    assert "no secure connection could be made" in str(error)
    assert server.requests == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning:httpx_aiohttp")
async def test_a_proxy_that_is_not_there(monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://user:proxy-password@127.0.0.1:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    error = await failed_call("http://api.twilio.invalid")
    assert type(error) is TwilioUnreachable
    assert "the proxy did not connect" in str(error)
    assert "proxy-password" not in str(error)


async def test_a_proxy_that_refuses(monkeypatch):
    async with broken("read", response("407 Proxy Authentication Required", "")) as proxy:
        monkeypatch.setenv("https_proxy", proxy.address)
        monkeypatch.delenv("no_proxy", raising=False)
        error = await failed_call("https://api.twilio.invalid")
    assert type(error) is TwilioUnreachable
    assert "the proxy did not connect" in str(error)
    assert proxy.requests == ["CONNECT api.twilio.invalid:443 HTTP/1.1"]


@pytest.mark.parametrize("address", ["socks5://127.0.0.1:1", "http://"])
async def test_a_proxy_of_another_kind(monkeypatch, address):
    monkeypatch.setenv("all_proxy", address)
    monkeypatch.delenv("no_proxy", raising=False)
    error = await failed_call("https://api.twilio.invalid")
    assert type(error) is TwilioUnreachable
    assert "must begin with http://" in str(error)
