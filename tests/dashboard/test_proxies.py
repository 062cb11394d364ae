"""Behind nginx and Caddy the app's own pages work, and those of other sites don't."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.support.handshakes import opens
from tests.support.proxies import caddy, nginx
from tests.support.running_app import running_app

pytestmark = pytest.mark.slow

CALLS = "calls.example.com"
HOST_PASSED_ON = "proxy_set_header Host $http_host;"


def proxy(name: str, app: str, folder: Path) -> AbstractContextManager[str]:
    return caddy(app, folder) if name == "caddy" else nginx(app, folder, HOST_PASSED_ON)


@pytest.mark.parametrize("name", ["nginx", "caddy"])
def test_a_proxy_that_passes_the_host_on(simulation: str, tmp_path: Path, name: str):
    with proxy(name, simulation, tmp_path) as url:
        for scheme in ("http", "https"):
            assert opens(url, host=CALLS, origin=f"{scheme}://{CALLS}")
        assert opens(url, host=f"{CALLS}:8443", origin=f"https://{CALLS}:8443")
        for origin in ("https://evil.example", f"https://{CALLS}:8444", "null", None):
            assert not opens(url, host=CALLS, origin=origin)


def test_nginx_as_it_comes_needs_the_setting(simulation: str, project: Path, tmp_path: Path):
    """It names the app's own address as the Host, so its pages look like those of other sites."""
    with nginx(simulation, tmp_path) as url:
        assert not opens(url, host=CALLS, origin=f"https://{CALLS}")
    for setting in ({"ALLOWED_ORIGINS": f"https://{CALLS}"}, {"PUBLIC_URL": f"https://{CALLS}/x"}):
        with running_app(project, **setting) as app, nginx(app, tmp_path) as url:
            assert opens(url, host=CALLS, origin=f"https://{CALLS}")
            assert not opens(url, host=CALLS, origin="https://evil.example")
