"""Connections that cannot be made: nothing was sent, and the error says so."""

from __future__ import annotations

import logging
import os
import resource
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.broken_server import (
    CREATED,
    Broken,
    broken,
    connected,
    failed_call,
    response,
)
from tests.support.certificate import self_signed
from tests.support.error_text import error_text
from tests.support.recording_server import FROM, TO
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


SOCKS = "must begin with http://, because other proxies aren't supported"
UNUSABLE = "has a host, user name or password that can't be used"
MALFORMED = "must look like http://user:password@host:port"


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "all_proxy", "All_Proxy"])
async def test_which_variable_names_the_proxy(monkeypatch, name):
    _set_proxy(monkeypatch, name, "socks://127.0.0.1:1")
    error = await failed_call("https://api.twilio.invalid")
    assert type(error) is TwilioUnreachable
    assert f"({name} {SOCKS})" in str(error)
    assert error.hint == "Correct it, then start the program again."


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("socks://127.0.0.1:1", SOCKS),
        ("socks5h://user:hunter2@127.0.0.1:1", SOCKS),
        ("file:///etc/hunter2", SOCKS),
        ("http://user:hunter2#b@proxy.example.com:8080", MALFORMED),
        ("http://user:1#hunter2@proxy.example.com:8080", MALFORMED),
        ("http://user:1/hunter2@proxy.example.com:8080", MALFORMED),
        ("http://user:1?hunter2@proxy.example.com:8080", MALFORMED),
        ("http://user:hunter2 @proxy.example.com:8080", MALFORMED),
        ("user:1#hunter2@proxy.example.com:8080", MALFORMED),
        ("http://", MALFORMED),
        ("http://:8080", MALFORMED),
        ("http://proxy.example.com:port", MALFORMED),
        ("http://[::1", MALFORMED),
        ("http://proxy..example.com", MALFORMED),
        ("http://proxy.example.com/path", MALFORMED),
        ("http://user:hunter2@proxy.example.com:99999", "must have a port between 1 and 65535"),
        ("http://user:hunter2@proxy.example.com:0", "must have a port between 1 and 65535"),
        ("http://user:hunter2%E2%82%AC@proxy.example.com", UNUSABLE),
        ("http://user:hunter2@[1.2.3]:1", UNUSABLE),
        ("http://us%3Aer:hunter2@proxy.example.com", "has a user name with a colon"),
    ],
)
async def test_a_proxy_that_cannot_be_used(monkeypatch, caplog, address, says):
    caplog.set_level(logging.DEBUG)
    _set_proxy(monkeypatch, "https_proxy", address)
    error = await failed_call("https://api.twilio.invalid")
    assert type(error) is TwilioUnreachable
    assert f"(https_proxy {says}" in str(error)
    assert "hunter2" not in error_text(error) + caplog.text


@pytest.mark.parametrize(
    "address",
    [
        "{host}",
        "http://{host}",
        "HTTP://{host}/",
        "  http://{host}  ",
        "http://user:pass:word@{host}",
        "http://user:p@ss%23word@{host}",
        "http://user:50%@{host}",
    ],
)
async def test_a_proxy_that_can_be_used(monkeypatch, address):
    async with broken("read", CREATED) as proxy:
        host = proxy.address.removeprefix("http://")
        _set_proxy(monkeypatch, "http_proxy", address.format(host=host))
        async with connected(replace(proxy, address="http://api.twilio.invalid")) as client:
            assert (await client.create_call(to=TO, from_=FROM, url="https://a.example")).sid
    assert len(proxy.requests) == 1


@pytest.mark.parametrize("exception", ["127.0.0.1", "127.0.0.1:{port}", "*"])
async def test_an_exception_to_a_malformed_proxy(monkeypatch, exception):
    async with broken("read", CREATED) as server:
        _set_proxy(monkeypatch, "http_proxy", "socks://")
        monkeypatch.setenv("no_proxy", exception.format(port=server.address.rpartition(":")[2]))
        async with connected(server) as client:
            assert (await client.create_call(to=TO, from_=FROM, url="https://a.example")).sid


async def test_a_proxy_that_hangs_up_on_connect(monkeypatch):
    async with broken("read") as proxy:
        _set_proxy(monkeypatch, "https_proxy", proxy.address)
        error = await failed_call("https://api.twilio.invalid")
    assert type(error) is TwilioUnreachable
    assert len(proxy.requests) == 1


CERTIFICATES = [
    ("SSL_CERT_FILE", "/nowhere/ca.pem", "No such file or directory"),
    ("SSL_CERT_FILE", "{folder}", "Is a directory"),
    ("SSL_CERT_FILE", "{folder}/empty.pem", "which holds no certificates"),
    ("SSL_CERT_FILE", "{folder}/junk.pem", "which holds no certificates"),
    ("SSL_CERT_DIR", "/nowhere/certs", "which is no folder"),
    ("SSL_CERT_DIR", "{folder}/junk.pem", "which is no folder"),
    ("SSLKEYLOGFILE", "/nowhere/keys.log", "which can't be written"),
    ("SSLKEYLOGFILE", "{folder}", "which can't be written"),
]


@pytest.mark.parametrize(("name", "value", "says"), CERTIFICATES)
async def test_certificates_that_cannot_be_read(monkeypatch, tmp_path, name, value, says):
    (tmp_path / "empty.pem").touch()
    (tmp_path / "junk.pem").write_text("Dear diary")
    value = value.format(folder=tmp_path)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv(name, value)
    error = await failed_call("https://api.twilio.invalid")
    assert type(error) is TwilioUnreachable
    assert f"({name} names {value}, " in str(error)
    assert says in str(error)
    assert error.__context__ is None


async def test_the_certificates_of_the_environment_are_trusted(monkeypatch, tmp_path):
    certificate = self_signed(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with broken("read", CREATED, tls=tls) as server, connected(server) as client:
        assert (await client.create_call(to=TO, from_=FROM, url="https://a.example")).sid


@pytest.mark.parametrize(
    "address",
    [
        "http://" + "a" * 64 + ".example.com",
        "http://api..twilio.com",
        "http://.twilio.com",
        "http://127.0.0.1:0",
        "http://[::1%25nowhere]:9",
        "http://a b.example.com",
    ],
)
async def test_an_address_that_cannot_be_asked(address):
    error = await failed_call(address)
    assert type(error) is TwilioUnreachable


async def test_no_descriptor_left(monkeypatch):
    """Trouble of this machine's own is named, too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    client = connected(Broken(f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(TwilioUnreachable):
        await client.fetch_call("CA1")
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(TwilioUnreachable, match="Too many open files"):
            await client.fetch_call("CA1")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    await client.close()


async def test_a_client_that_cannot_be_built(monkeypatch):
    """Whatever fails before there is a connection, nothing was sent."""

    def fail(*_: object) -> None:
        raise LookupError("a secret")

    monkeypatch.setattr("twilio_client.transport.tls_context", fail)
    error = await failed_call("https://api.twilio.invalid")
    assert type(error) is TwilioUnreachable
    assert "LookupError" in str(error)
    assert "a secret" not in str(error)


def _set_proxy(monkeypatch: pytest.MonkeyPatch, name: str, address: str) -> None:
    for each in list(os.environ):
        if each.lower().endswith("_proxy"):
            monkeypatch.delenv(each)
    monkeypatch.setenv(name, address)
