"""Which addresses the internet can't reach, by their names."""

from __future__ import annotations

import pytest

from doctor.public_addresses import why_out_of_reach


@pytest.mark.parametrize(
    "host",
    [
        "localhost:8000",
        "app.localhost",
        "127.0.0.1",
        "127.1",
        "0x7f000001",
        "0.1.2.3",
        "10.1.2.3:8000",
        "172.16.0.1",
        "192.168.1.20",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "[::1]:8000",
        "[fe80::1]",
        "[fd00::1]",
        "[::ffff:192.168.1.20]",
        "callboard",
        "callboard:8000",
        "mac.local",
        "mac.local.",
        "callboard.internal",
        "callboard.corp",
        "nas.home.arpa",
        "callboard.test",
        "callboard.example",
    ],
)
def test_addresses_out_of_reach(host):
    assert why_out_of_reach(f"https://{host}/sub")


@pytest.mark.parametrize(
    "host",
    [
        "callboard.example.com",
        "8.8.8.8:8443",
        "[2001:4860:4860::8888]",
        "local.example.org",
        "internal.net",
        "xn--bcher-kva.de",
    ],
)
def test_addresses_that_may_be_reached(host):
    assert why_out_of_reach(f"https://{host}/sub") is None
